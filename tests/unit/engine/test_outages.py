"""Outages: the journal or the broker is away, or the journal has forgotten; nothing is lost and everybody is told."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from agentopic.adapters.transport.memory import MemoryTransport
from agentopic.core import AgentId, MessageContext
from agentopic.errors import JournalUnavailableError, TransportError
from agentopic.ports.transport import OutgoingRecord, Sent

from .faulty_journal import FaultyJournal
from .town import Note, Resident, Town, nothing, seeing, topic, until

CLERK = AgentId("clerk", "k")


class Radio(MemoryTransport):
    """A transport whose broker is away while `away` is set."""

    away = False

    async def send(self, records: Sequence[OutgoingRecord]) -> Sequence[Sent | TransportError]:
        if self.away:
            return [TransportError("the broker is away") for _ in records]
        return await super().send(records)


# ── the journal has gone back in time ──────────────────────────────────────────────────────────────────────


async def test_a_journal_that_forgot_the_last_moments_is_noticed_and_read_again_from_its_watermark(town: Town):
    counts = list[tuple[int, int]]()

    async def count(agent: Resident, message: Note, ctx: MessageContext) -> None:
        counts.append((message.number, agent.turns))

    runtime = town.runtime(lease_seconds=0.6)
    await town.settle(runtime, "clerk", count)
    await runtime.start()

    await runtime.publish_message(Note(number=1), topic("clerk"))
    await until(lambda: len(counts) == 1 and not town.store.unfinished, "the first is done")
    saved = town.store.save()
    beat = max(each.beat for each in town.store.processes.values())
    await runtime.publish_message(Note(number=2), topic("clerk"))
    await until(lambda: len(counts) == 2 and not town.store.unfinished, "the second is done")
    await until(lambda: max(each.beat for each in town.store.processes.values()) >= beat + 2, "beats are confirmed")
    town.store.rewind(saved)

    await until(lambda: len(counts) == 3, "the forgotten one is read again")
    await runtime.stop_when_idle()
    assert counts == [(1, 1), (2, 2), (2, 2)], "its agent stands where the journal stands, not where memory stood"


async def test_a_journal_that_forgot_during_an_outage_is_noticed_when_it_is_back(town: Town):
    journal, counts = FaultyJournal(town.store), list[tuple[int, int]]()

    async def count(agent: Resident, message: Note, ctx: MessageContext) -> None:
        counts.append((message.number, agent.turns))

    runtime = town.runtime(journal=journal, lease_seconds=1.5)
    await town.settle(runtime, "clerk", count)
    await runtime.start()
    saved = town.store.save()
    beat = max(each.beat for each in town.store.processes.values())
    await runtime.publish_message(Note(number=1), topic("clerk"))
    await until(lambda: len(counts) == 1 and not town.store.unfinished, "it is done")
    await until(lambda: max(each.beat for each in town.store.processes.values()) >= beat + 2, "beats are confirmed")

    journal.outage = True
    await until(lambda: not runtime.is_ready, "the outage is noticed")
    town.store.rewind(saved)
    journal.outage = False
    await until(lambda: len(counts) == 2, "the forgotten one is read again")
    await runtime.stop_when_idle()

    assert counts == [(1, 1), (1, 1)]


# ── the journal is away ────────────────────────────────────────────────────────────────────────────────────


async def test_without_a_journal_nothing_begins_and_all_goes_on_by_itself_when_it_is_back(town: Town):
    journal, seen = FaultyJournal(town.store), list[Note]()
    runtime = town.runtime(journal=journal)
    await town.settle(runtime, "clerk", seeing(seen))
    await runtime.start()
    was_ready = runtime.is_ready

    journal.outage = True
    await until(lambda: not runtime.is_ready, "not ready")
    await runtime.publish_message(Note(), topic("clerk"))
    before = len(seen)
    journal.outage = False
    await until(lambda: runtime.is_ready, "ready again")
    await runtime.stop_when_idle()

    assert was_ready
    assert (before, len(seen)) == (0, 1)
    assert journal.calls.count("join") == 1, "the same incarnation went on"


async def test_a_caller_is_told_that_the_journal_is_away(town: Town):
    journal = FaultyJournal(town.store)
    runtime = town.runtime(journal=journal)
    await town.settle(runtime, "clerk", nothing)
    await runtime.start()

    journal.outage = True
    await until(lambda: not runtime.is_ready, "not ready")
    with pytest.raises(JournalUnavailableError):
        await runtime.send_message(Note(), CLERK)
    journal.outage = False
    await until(lambda: runtime.is_ready, "ready again")

    assert await runtime.send_message(Note(), CLERK) is None


async def test_mail_that_was_taken_unseen_is_not_lost(town: Town):
    journal, ended = FaultyJournal(town.store), list[str]()

    async def work(agent: Resident, message: Note, ctx: MessageContext) -> None:
        stopped = asyncio.get_running_loop().create_future()
        ctx.cancellation_token.link_future(stopped)
        try:
            await stopped
        finally:
            ended.append("x")

    runtime, client = town.runtime(journal=journal), town.runtime()
    await town.settle(runtime, "clerk", work)
    await runtime.start()
    await client.start()

    asking = asyncio.ensure_future(client.send_message(Note(), CLERK))
    await until(lambda: runtime_runs(town), "it runs")
    (asked,) = town.events("agent.clerk")
    journal.break_next("mail", "after")
    await client.control.cancel_request(CLERK, asked)
    await until(lambda: bool(ended), "the handler was told")

    assert journal.broken("mail")
    await asyncio.wait({asking})


def runtime_runs(town: Town) -> bool:
    return any(lane.running is not None for lane in town.store.lanes.values())


# ── the broker is away ─────────────────────────────────────────────────────────────────────────────────────


async def test_finished_work_waits_for_the_broker_in_the_outbox(town: Town):
    radio, done = Radio(town.log), list[str]()

    async def report(agent: Resident, message: Note, ctx: MessageContext) -> None:
        await agent.publish_message(Note(text="done"), topic("report"))
        done.append("x")

    town.create("topic.report")
    runtime = town.runtime(transport=radio)
    await town.settle(runtime, "clerk", report)
    await runtime.start()

    await runtime.publish_message(Note(), topic("clerk"))
    radio.away = True
    await until(lambda: bool(done), "the handler ran")
    before = len(town.notes("topic.report"))
    radio.away = False
    await runtime.stop_when_idle()

    assert before == 0
    assert [note.text for note in town.notes("topic.report")] == ["done"]


async def test_callers_outside_are_told_that_the_broker_is_away(town: Town):
    radio = Radio(town.log)
    runtime = town.runtime(transport=radio)
    await town.settle(runtime, "clerk", nothing)
    await runtime.start()

    radio.away = True

    with pytest.raises(TransportError):
        await runtime.publish_message(Note(), topic("clerk"))
    with pytest.raises(TransportError):
        await runtime.send_message(Note(), CLERK)
    radio.away = False


async def test_a_request_of_a_turn_waits_for_the_broker(town: Town):
    radio, answers = Radio(town.log), list[object]()

    async def ask(agent: Resident, message: Note, ctx: MessageContext) -> None:
        radio.away = True
        asyncio.get_running_loop().call_later(0.1, setattr, radio, "away", False)
        answers.append(await agent.send_message(Note(), CLERK))

    runtime = town.runtime(transport=radio)
    await town.settle(runtime, "boss", ask)
    await town.settle(runtime, "clerk", nothing)
    await runtime.start()

    await runtime.publish_message(Note(), topic("boss"))
    await runtime.stop_when_idle()

    assert answers == [None]
    assert town.reasons("boss") == []
