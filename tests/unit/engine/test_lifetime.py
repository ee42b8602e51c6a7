"""Starting, registering later, draining, stopping: nothing hangs, nothing is left behind."""

from __future__ import annotations

import asyncio
import threading

import pytest

from agentopic.core import AgentId, MessageContext
from agentopic.errors import ConfigError, JournalUnavailableError

from .faulty_journal import FaultyJournal
from .town import Note, Resident, Town, nothing, seeing, topic, until


def _left_over() -> list[str]:
    mine = asyncio.current_task()
    tasks = [str(task.get_coro()) for task in asyncio.all_tasks() if task is not mine]
    return tasks + [each.name for each in threading.enumerate() if each.name.startswith("agentopic-heart")]


async def test_agents_may_be_registered_on_a_started_runtime(town: Town):
    seen = list[Note]()
    runtime = town.runtime()
    await runtime.start()

    await town.settle(runtime, "clerk", seeing(seen))
    await runtime.publish_message(Note(number=1), topic("clerk"))
    await town.settle(runtime, "boss", seeing(seen))
    await runtime.publish_message(Note(number=2), topic("boss"))
    await runtime.publish_message(Note(number=3), topic("clerk"))
    await runtime.stop_when_idle()

    assert sorted(note.number for note in seen) == [1, 2, 3]


async def test_an_agent_registered_by_a_handler_works_once_that_handler_has_ended(town: Town):
    seen = list[Note]()
    runtime = town.runtime()

    async def hire(agent: Resident, message: Note, ctx: MessageContext) -> None:
        await town.settle(runtime, "boss", seeing(seen))

    await town.settle(runtime, "clerk", hire)
    await runtime.start()
    await runtime.send_message(Note(), AgentId("clerk", "k"))
    await runtime.publish_message(Note(), topic("boss"))
    await runtime.stop_when_idle()

    assert len(seen) == 1


async def test_stop_ends_every_task_and_thread(town: Town):
    runtime = town.runtime()
    await town.settle(runtime, "clerk", nothing)
    await runtime.start()
    await runtime.send_message(Note(), AgentId("clerk", "k"))

    await runtime.stop()

    assert _left_over() == []


async def test_a_start_that_fails_leaves_nothing_running(town: Town):
    runtime = town.runtime(start_from="yesterday")
    await town.settle(runtime, "clerk", nothing)

    with pytest.raises(ConfigError, match="yesterday"):
        async with runtime:
            pass

    assert _left_over() == []


async def test_drain_lets_running_turns_end_and_starts_no_others(town: Town):
    let_go, started = asyncio.Event(), list[int]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        started.append(message.number)
        await let_go.wait()

    runtime = town.runtime(max_concurrent_agents=1)
    await town.settle(runtime, "clerk", handle)
    await runtime.start()
    for number in range(3):
        await runtime.publish_message(Note(number=number), topic("clerk"))
    await until(lambda: len(town.store.unfinished) == 3, "all are stored")

    stopping = asyncio.ensure_future(runtime.stop())
    await asyncio.sleep(0.05)
    let_go.set()
    await stopping

    assert started == [0]
    assert [(each.failures, each.crashes) for each in town.store.unfinished.values()] == [(0, 0)] * 2


async def test_a_turn_that_outlasts_the_drain_goes_on_elsewhere_without_counting_a_crash(town: Town):
    async def sleep(agent: Resident, message: Note, ctx: MessageContext) -> None:
        await asyncio.Event().wait()

    first = town.runtime(drain_seconds=0.05)
    await town.settle(first, "clerk", sleep)
    await first.start()
    await first.publish_message(Note(), topic("clerk"))
    await until(lambda: any(lane.running for lane in town.store.lanes.values()), "the turn runs")
    await first.stop()
    (left,) = town.store.unfinished.values()
    seen = list[Note]()

    second = town.runtime()
    await town.settle(second, "clerk", seeing(seen))
    await second.start()
    await second.stop_when_idle()

    assert (left.failures, left.crashes, len(seen)) == (0, 0, 1)


async def test_a_stop_without_a_journal_ends(town: Town, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("agentopic.engine.incarnation.FLUSH_SECONDS", 0.1)
    journal = FaultyJournal(town.store)
    runtime = town.runtime(journal=journal, drain_seconds=0.1)
    await town.settle(runtime, "clerk", nothing)
    await runtime.start()

    journal.outage = True
    await runtime.publish_message(Note(), topic("clerk"))
    await asyncio.wait_for(runtime.stop(), 5)

    assert _left_over() == []


async def test_a_journal_outage_loses_nothing_and_repeats_nothing(town: Town):
    journal, seen = FaultyJournal(town.store), list[int]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        seen.append(message.number)
        await asyncio.sleep(0)

    runtime = town.runtime(journal=journal)
    await town.settle(runtime, "clerk", handle)
    await runtime.start()

    for number in range(30):
        await runtime.publish_message(Note(number=number), topic("clerk", f"k{number % 7}"))
        if number % 10 == 5:
            journal.outage = True
            await asyncio.sleep(0.02)
            journal.outage = False
    await runtime.stop_when_idle()

    assert sorted(seen) == list(range(30))


async def test_a_buried_process_goes_on_as_a_new_incarnation(town: Town):
    seen = list[Note]()
    runtime = town.runtime()
    await town.settle(runtime, "clerk", seeing(seen))
    await runtime.start()
    (me,) = town.store.processes
    other = FaultyJournal(town.store)
    undertaker = await other.join([], "undertaker")
    (victim,) = [peer for peer in await other.peers(undertaker) if peer.id == me]

    await other.bury(undertaker, victim)
    for number in range(5):
        await runtime.publish_message(Note(number=number), topic("clerk"))
    await until(lambda: len(seen) == 5, "the next incarnation works")
    await runtime.stop()

    assert _left_over() == []


async def test_a_runtime_that_was_stopped_tells_who_joins_an_unreachable_journal(town: Town):
    journal = FaultyJournal(town.store)
    journal.outage = True
    runtime = town.runtime(journal=journal)
    await town.settle(runtime, "clerk", nothing)

    with pytest.raises(JournalUnavailableError):
        await runtime.start()
