"""Requests whose caller goes away and comes back: parked, restarted, killed; one answer all the same."""

from __future__ import annotations

import asyncio

import pytest

from agentopic.core import AgentId, CancellationToken, MessageContext
from agentopic.errors import RequestCancelledError, RequestTimeoutError, UndeliverableError

from .town import Note, Resident, Town, nothing, topic, until

CLERK = AgentId("clerk", "k")


class Desk:
    """A clerk who answers when told to, and a boss who asks."""

    def __init__(self) -> None:
        self.let_go = asyncio.Event()
        self.handled = list[str]()
        self.heard = list[str]()

    async def answer(self, agent: Resident, message: Note, ctx: MessageContext) -> Note:
        self.handled.append(ctx.message_id)
        await self.let_go.wait()
        return Note(text="answered")

    async def ask(self, agent: Resident, message: Note, ctx: MessageContext) -> None:
        self.heard.append((await agent.send_message(Note(), CLERK)).text)


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_an_answer_finds_a_turn_that_was_unwound_meanwhile(town: Town, desk: Desk):
    boss, clerk = town.runtime(suspend_seconds=0.05), town.runtime()
    await town.settle(boss, "boss", desk.ask)
    await town.settle(clerk, "clerk", desk.answer)
    await clerk.start()
    await boss.start()

    await boss.publish_message(Note(), topic("boss"))
    await until(lambda: _is_parked(town, "boss"), "the turn is unwound")
    desk.let_go.set()
    await boss.stop_when_idle()

    assert (len(desk.handled), desk.heard) == (1, ["answered"])


async def test_an_answer_for_a_parked_turn_needs_no_process_that_has_asked(town: Town, desk: Desk):
    first, second, clerk = town.runtime(suspend_seconds=0.05), town.runtime(), town.runtime()
    await town.settle(first, "boss", desk.ask)
    await town.settle(second, "boss", desk.ask)
    await town.settle(clerk, "clerk", desk.answer)
    await clerk.start()
    await first.start()

    await first.publish_message(Note(), topic("boss"))
    await until(lambda: _is_parked(town, "boss"), "the turn is unwound")
    await until(lambda: any("control" in (each.agreplyto or "") for each in town.events("agent.clerk")), "readdressed")
    await first.stop()
    await second.start()
    await until(lambda: len(town.store.marks) > 0, "joined")
    desk.let_go.set()
    await until(lambda: desk.heard == ["answered"], "the other process goes on")

    assert len(desk.handled) == 1


async def test_a_drained_turn_that_waits_for_an_answer_goes_on_elsewhere(town: Town, desk: Desk):
    first, second, clerk = town.runtime(), town.runtime(), town.runtime()
    for runtime in (first, second):
        await town.settle(runtime, "boss", desk.ask)
    await town.settle(clerk, "clerk", desk.answer)
    await clerk.start()
    await first.start()

    await first.publish_message(Note(), topic("boss"))
    await until(lambda: bool(desk.handled), "it was asked")
    await second.start()
    await first.stop()
    desk.let_go.set()
    await until(lambda: desk.heard == ["answered"], "the other process has asked on")

    assert len(desk.handled) == 1


async def test_the_last_repetition_asks_for_an_answer_that_outlives_the_process(town: Town, desk: Desk):
    runtime = town.runtime(request_resend_seconds=0.02)
    await town.settle(runtime, "boss", desk.ask)
    await town.settle(runtime, "clerk", desk.answer)
    await runtime.start()

    await runtime.publish_message(Note(), topic("boss"))
    await until(lambda: len(town.events("agent.clerk")) == 3, "asked three times")
    desk.let_go.set()
    await runtime.stop_when_idle()

    places = [(each.agreplyto or "").rpartition("/")[0] for each in town.events("agent.clerk")]
    assert sorted(places) == ["town.control.boss", "town.replies", "town.replies"]
    assert len({each.agrequestid for each in town.events("agent.clerk")}) == 1
    assert (len(desk.handled), desk.heard) == (1, ["answered"])


# ── callers outside of turns ───────────────────────────────────────────────────────────────────────────────


async def test_a_caller_that_asks_again_after_a_restart_gets_the_coming_answer(town: Town, desk: Desk):
    first, second, clerk = town.runtime(), town.runtime(), town.runtime()
    for runtime in (first, second):
        await town.settle(runtime, "caller", nothing)
    await town.settle(clerk, "clerk", desk.answer)
    await clerk.start()
    await first.start()

    asking = asyncio.ensure_future(first.send_message(Note(), CLERK, message_id="question-1"))
    await until(lambda: bool(desk.handled), "it was asked")
    await first.stop()
    with pytest.raises(UndeliverableError):
        await asking
    await second.start()
    again = asyncio.ensure_future(second.send_message(Note(), CLERK, message_id="question-1"))
    await until(lambda: len(town.events("agent.clerk")) == 2, "asked again")
    desk.let_go.set()

    assert (await again).text == "answered"
    assert len(desk.handled) == 1


async def test_a_caller_that_asks_again_gets_the_stored_answer_without_asking(town: Town, desk: Desk):
    runtime, clerk = town.runtime(), town.runtime()
    await town.settle(runtime, "caller", nothing)
    await town.settle(clerk, "clerk", desk.answer)
    await clerk.start()
    await runtime.start()
    desk.let_go.set()

    first = await runtime.send_message(Note(), CLERK, message_id="question-1")
    await until(lambda: _outcomes(town) == ["done"], "its end is written down")
    await clerk.stop()
    second = await runtime.send_message(Note(), CLERK, message_id="question-1")

    assert first == second
    assert len(town.events("agent.clerk")) == 1


async def test_a_request_that_timed_out_stays_timed_out(town: Town):
    town.create("agent.clerk")
    runtime = town.runtime(request_timeout_seconds=0.05)
    await town.settle(runtime, "caller", nothing)
    await runtime.start()

    with pytest.raises(RequestTimeoutError):
        await runtime.send_message(Note(), CLERK, message_id="question-1")
    await until(lambda: _outcomes(town) == ["expired"], "its end is written down")
    with pytest.raises(RequestTimeoutError):
        await runtime.send_message(Note(), CLERK, message_id="question-1")

    assert len(town.events("agent.clerk")) == 1


async def test_a_request_that_was_cancelled_stays_cancelled(town: Town, desk: Desk):
    runtime, token = town.runtime(), CancellationToken()
    await town.settle(runtime, "caller", nothing)
    await town.settle(runtime, "clerk", desk.answer)
    await runtime.start()

    asking = asyncio.ensure_future(
        runtime.send_message(Note(), CLERK, message_id="question-1", cancellation_token=token)
    )
    await until(lambda: bool(desk.handled), "it was asked")
    token.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await until(lambda: _outcomes(town) == ["cancelled"], "its end is written down")
    with pytest.raises(RequestCancelledError):
        await runtime.send_message(Note(), CLERK, message_id="question-1")


async def test_a_client_without_journal_asks_all_the_same(town: Town, desk: Desk):
    service, client = town.runtime(), town.runtime()
    await town.settle(service, "clerk", desk.answer)
    await service.start()
    await client.start()
    desk.let_go.set()

    assert (await client.send_message(Note(), CLERK)).text == "answered"
    assert _outcomes(town) == []


def _is_parked(town: Town, agent_type: str) -> bool:
    lanes = [lane for lane in town.store.lanes.values() if lane.group.endswith(f".{agent_type}")]
    return bool(lanes) and all(lane.owner is None for lane in lanes) and bool(town.records("agent.clerk"))


def _outcomes(town: Town) -> list[str | None]:
    return [each.outcome for each in town.store.requests.values()]
