"""Waits at their edges: unwound as the answer comes, broken off by a failing branch, limited in time, cancelled."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agentopic.adapters.journal.memory import MemoryJournal
from agentopic.core import AgentId, MessageContext
from agentopic.engine.attempt import OpenWait
from agentopic.engine.calls import Value, first_of
from agentopic.engine.retries import ONCE
from agentopic.engine.slots import Slot, Slots
from agentopic.engine.suspension import Suspension
from agentopic.engine.waits import TurnUnwound, Wait
from agentopic.envelope import Envelope

from .faulty_journal import FaultyJournal
from .test_waiting import held, hosted, questions, started
from .town import Note, Resident, Town, topic, until

WAIT = Wait(key=b"k", fresh=True, due_ms=None, due_at=None)


async def test_a_result_that_comes_as_the_turn_is_unwound_is_not_lost():
    opened = OpenWait(b"k", "request", None)

    async def call(_: Wait) -> str:
        opened.unwind()  # in the same round of the event loop
        return "the answer"

    outcome = await first_of(opened, call, WAIT)

    assert isinstance(outcome, Value)
    assert outcome.value == "the answer"


async def test_a_call_that_has_no_result_when_the_turn_is_unwound_is_unwound():
    opened = OpenWait(b"k", "request", None)

    async def call(_: Wait) -> str:
        opened.unwind()
        await asyncio.Event().wait()
        return "never"

    with pytest.raises(TurnUnwound):
        await first_of(opened, call, WAIT)


def has_fired(town: Town) -> bool:
    """Whether the result of a timer is stored."""
    steps = [step.row for turn in town.store.steps.values() for step in turn.values()]
    return any(step.kind == "timer" and step.result is not None for step in steps)


# ── what an ended attempt has left behind ──────────────────────────────────────────────────────────────────


async def test_what_an_attempt_left_behind_takes_no_slot():
    slots = Slots(1, freed=lambda: None)
    slots.take()
    slot = Slot(slots)
    changes = list[bool]()
    suspension = Suspension(slot, changed=changes.append)

    async def left_behind() -> None:
        async with suspension.resting():
            await asyncio.sleep(0.01)

    stray = asyncio.ensure_future(left_behind())
    await until(lambda: not slot.held, "it rests")
    await suspension.close()
    await asyncio.wait({stray})

    assert stray.cancelled()
    assert (slot.held, slots.used) == (False, 0)


async def test_what_an_attempt_left_behind_does_not_give_away_the_slot_of_the_next_one():
    slots = Slots(1, freed=lambda: None)
    slots.take()
    slot = Slot(slots)
    changes = list[bool]()
    suspension = Suspension(slot, changed=changes.append)
    release = asyncio.Event()

    async def left_behind() -> None:
        async with suspension.resting(0.01):
            await release.wait()

    stray = asyncio.ensure_future(left_behind())
    await asyncio.sleep(0)
    await suspension.close()
    await asyncio.sleep(0.03)

    assert (slot.held, changes) == (True, [])
    release.set()
    await asyncio.wait({stray})


# ── broken off ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_wait_broken_off_by_a_branch_that_failed_is_waited_for_again_when_that_branch_succeeds(
    town: Town, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("agentopic.engine.steps.AGAIN_SECONDS", 0.05)
    attempts, answers = list[int](), list[Any]()
    asked = asyncio.Event()

    async def flaky(ctx: MessageContext) -> None:
        await asked.wait()
        if len(attempts) == 1:
            raise ValueError("not this time")

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        attempts.append(1)
        async with asyncio.TaskGroup() as both:
            question = both.create_task(ctx.ask("Go?"))
            both.create_task(flaky(ctx))
        answers.append(question.result())

    runtime = await started(town, handle)
    await runtime.publish_message(Note(), topic("clerk"))
    await questions(runtime)
    asked.set()
    await until(lambda: len(attempts) == 2, "the second attempt")
    (question,) = await questions(runtime)
    await runtime.control.answer(question.id, question.agent, "yes")
    await runtime.stop_when_idle()

    assert answers == ["yes"]
    assert town.reasons("clerk") == []


async def test_a_turn_whose_timer_has_fired_goes_on_at_once_after_its_process_was_buried(town: Town):
    attempts = list[int]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        attempts.append(1)
        asking = asyncio.ensure_future(ctx.ask("Go?"))
        await ctx.sleep(0.05)
        if len(attempts) == 1:
            await asyncio.Event().wait()
        asking.cancel()
        await asyncio.wait([asking])

    runtime = await started(town, handle)
    await runtime.publish_message(Note(), topic("clerk"))
    await questions(runtime)
    await until(lambda: has_fired(town), "the timer has fired")
    other = MemoryJournal(town.store)
    me = await other.join(["elsewhere"], "")
    (peer,) = await other.peers(me)
    await other.bury(me, peer)
    await until(lambda: len(attempts) == 2, "the second attempt")
    await runtime.stop_when_idle()

    assert town.reasons("clerk") == []


# ── limits in time ─────────────────────────────────────────────────────────────────────────────────────────


async def test_a_question_with_a_limit_is_given_up_though_its_turn_was_unwound_long_before(town: Town):
    ends = list[str]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        try:
            ends.append(await ctx.ask("Quick?", timeout_seconds=0.3))
        except TimeoutError:
            ends.append("too late")

    runtime = await started(town, handle, suspend_seconds=0.0)
    await runtime.publish_message(Note(), topic("clerk"))
    await questions(runtime)
    await until(lambda: not held(runtime), "the turn is out of memory")
    await until(lambda: bool(ends), "the limit is reached")
    await runtime.stop_when_idle()

    assert ends == ["too late"]


async def test_a_question_with_a_limit_is_answered_before_it(town: Town):
    ends = list[str]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        ends.append(await ctx.ask("Quick?", timeout_seconds=30.0))

    runtime = await started(town, handle)
    await runtime.publish_message(Note(), topic("clerk"))
    (question,) = await questions(runtime)
    await runtime.control.answer(question.id, question.agent, "yes")
    await runtime.stop_when_idle()

    assert ends == ["yes"]


# ── cancelled runs ─────────────────────────────────────────────────────────────────────────────────────────


async def test_a_cancelled_run_ends_its_turns_that_are_parked_at_a_question(town: Town):
    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        await ctx.ask("Go?")

    runtime = await started(town, handle, suspend_seconds=0.0)
    await runtime.publish_message(Note(), topic("clerk"), message_id="the-run")
    await questions(runtime)
    await until(lambda: not held(runtime), "the turn is out of memory")

    await runtime.control.cancel_run("the-run")

    await until(lambda: not town.store.unfinished, "the turn ends")
    assert list(await runtime.control.questions()) == []


async def test_a_callback_that_fails_at_a_cancellation_harms_no_other_turn(town: Town):
    begun, ended = list[str](), list[str]()
    failures = list[dict[str, Any]]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))

    def fail() -> None:
        raise LookupError("nobody expects this")

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        begun.append(message.text)
        if message.text == "careless":
            ctx.cancellation_token.add_callback(fail)
            await asyncio.Event().wait()
        await asyncio.sleep(1.0)
        ended.append(message.text)

    runtime = await started(town, handle)
    me = runtime._links.incarnation()
    await runtime.publish_message(Note(text="careless"), topic("clerk", "a"), message_id="the-run")
    await runtime.publish_message(Note(text="other"), topic("clerk", "b"))
    await until(lambda: len(begun) == 2, "both run")

    await runtime.control.cancel_run("the-run")
    await runtime.stop_when_idle()

    assert ended == ["other"]
    assert len(begun) == 2
    assert [type(each["exception"]) for each in failures] == [LookupError]
    assert me is not None
    assert not me.over.done() or me.over.cancelled()


# ── redriven ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_redriven_turn_asks_again_what_was_answered_with_a_fault(town: Town):
    asked, replies = list[int](), list[str]()

    async def work(agent: Resident, message: Note, ctx: MessageContext) -> Note:
        asked.append(1)
        if len(asked) == 1:
            raise LookupError("the shop is closed")
        return Note(text="worked")

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        answer = await agent.send_message(Note(), AgentId("worker", "w"))
        replies.append(answer.text)

    runtime = town.runtime()
    await town.settle(runtime, "worker", work, retry=ONCE)
    await town.settle(runtime, "clerk", handle, retry=ONCE)
    await runtime.start()
    await runtime.publish_message(Note(), topic("clerk"), message_id="the-order")
    await until(lambda: bool(town.reasons("clerk")), "it dies of the fault")

    (event,) = town.events("topic.clerk")
    await runtime.publish_envelope(event.with_extensions(agredrive=1), topic("clerk"))
    await until(lambda: bool(replies), "the second time it works")

    assert replies == ["worked"]


# ── unwound with a branch about to go on ───────────────────────────────────────────────────────────────────


async def test_a_turn_is_not_parked_while_another_branch_has_yet_to_say_what_it_waits_for(town: Town):
    journal, ends = FaultyJournal(town.store), list[str]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        question = asyncio.ensure_future(ctx.ask("Go?"))
        await until(lambda: bool(town.store.steps), "the question is stored")
        journal.held_back.clear()
        timer = asyncio.ensure_future(ctx.sleep(0.05))
        await asyncio.wait({question, timer}, return_when=asyncio.FIRST_COMPLETED)
        ends.append("answered" if question.done() else "too late")
        question.cancel()

    runtime = await started(town, handle, journal=journal)
    await runtime.publish_message(Note(), topic("clerk"))
    await until(lambda: not journal.held_back.is_set(), "the timer is being written down")
    (run,) = next(iter(hosted(runtime))).held.values()
    assert run.attempt is not None
    await until(lambda: not run.slot.held, "it holds no slot")

    assert not run.attempt.unwind()
    journal.held_back.set()
    await until(lambda: ends == ["too late"], "the timer decides")
    await runtime.stop_when_idle()


async def test_a_turn_that_only_just_waits_is_handed_over_at_a_drain_to_go_on_at_once(town: Town):
    ends = list[str]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        question = asyncio.ensure_future(ctx.ask("Go?"))
        other = asyncio.ensure_future(asyncio.sleep(0.5))  # what no journal knows of
        await asyncio.wait({question, other}, return_when=asyncio.FIRST_COMPLETED)
        ends.append(question.result() if question.done() else "too late")
        question.cancel()

    runtime = await started(town, handle)
    await runtime.publish_message(Note(), topic("clerk"))
    await questions(runtime)
    await runtime.stop()
    assert ends == []

    runtime = await started(town, handle)
    await until(lambda: ends == ["too late"], "another process goes on with it")
    await runtime.stop_when_idle()


# ── expired ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_turn_that_began_in_time_may_wait_longer_than_its_event_is_good_for(town: Town):
    answers = list[Any]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        answers.append(await ctx.ask("Go?"))

    runtime = await started(town, handle, suspend_seconds=0.0)
    event = Envelope(id="e", source="/s", type="town.Note.v1", datacontenttype="application/json", data=b"{}")
    expiry = datetime.now(UTC) + timedelta(seconds=0.3)
    await runtime.publish_envelope(event.with_extensions(expirytime=expiry.isoformat()), topic("clerk"))
    (question,) = await questions(runtime)
    await until(lambda: not held(runtime) and datetime.now(UTC) > expiry, "it is parked and the event has expired")

    await runtime.control.answer(question.id, question.agent, "yes")
    await runtime.stop_when_idle()

    assert answers == ["yes"]
    assert town.reasons("clerk") == []
