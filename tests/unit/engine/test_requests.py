"""Requests: one answer for each, whoever asks and whatever happens in between."""

from __future__ import annotations

import asyncio

import pytest

from agentopic.core import AgentId, MessageContext
from agentopic.errors import CallCycleError, PayloadError, RequestError, RequestTimeoutError, UndeliverableError

from .town import Note, Resident, Town, nothing, until

CLERK = AgentId("clerk", "k")


async def test_a_handler_that_returns_nothing_answers_with_nothing(town: Town):
    runtime = town.runtime()
    await town.settle(runtime, "clerk", nothing)
    await runtime.start()

    assert await runtime.send_message(Note(), CLERK) is None


async def test_an_answer_that_cannot_be_serialised_is_a_fault_at_the_first_attempt(town: Town):
    attempts = list[int]()

    async def answer(agent: Resident, message: Note, ctx: MessageContext) -> object:
        attempts.append(1)
        return object()

    runtime = town.runtime()
    await town.settle(runtime, "clerk", answer)
    await runtime.start()

    with pytest.raises(PayloadError):
        await runtime.send_message(Note(), CLERK)

    assert len(attempts) == 1


async def test_agents_of_one_process_ask_each_other_without_more_slots_than_one(town: Town):
    async def relay(agent: Resident, message: Note, ctx: MessageContext) -> Note:
        if message.number == 0:
            return Note(text=f"{agent.id.type} says hello")
        other = "right" if agent.id.type == "left" else "left"
        return await agent.send_message(Note(number=message.number - 1), AgentId(other, f"k{message.number}"))

    runtime = town.runtime()
    for name in ("left", "right"):
        await town.settle(runtime, name, relay)
    await runtime.start()

    answers = await asyncio.gather(
        runtime.send_message(Note(number=4), AgentId("left", "a")),
        runtime.send_message(Note(number=3), AgentId("right", "b")),
    )

    assert [each.text for each in answers] == ["left says hello", "left says hello"]


async def test_an_agent_that_asks_itself_is_told_instead_of_waiting_for_ever(town: Town):
    async def ask(agent: Resident, message: Note, ctx: MessageContext) -> None:
        await agent.send_message(Note(), agent.id)

    runtime = town.runtime()
    await town.settle(runtime, "clerk", ask)
    await runtime.start()

    with pytest.raises(CallCycleError):
        await runtime.send_message(Note(), CLERK)


async def test_a_request_sent_again_is_handled_once_and_answered(town: Town):
    handled, let_go = list[int](), asyncio.Event()

    async def answer(agent: Resident, message: Note, ctx: MessageContext) -> Note:
        handled.append(1)
        await let_go.wait()
        return Note(text="done")

    runtime = town.runtime(request_resend_seconds=0.02)
    await town.settle(runtime, "clerk", answer)
    await runtime.start()

    asking = asyncio.ensure_future(runtime.send_message(Note(), CLERK))
    await until(lambda: len(town.records("agent.clerk")) == 3, "it was sent again, twice")
    let_go.set()

    assert (await asking).text == "done"
    assert len(handled) == 1


async def test_a_request_that_nobody_answers_ends_at_its_deadline(town: Town):
    town.create("agent.clerk")
    runtime = town.runtime(request_timeout_seconds=0.05)
    await runtime.start()

    with pytest.raises(RequestTimeoutError):
        await runtime.send_message(Note(), CLERK)


async def test_who_waits_for_an_answer_is_told_when_the_runtime_stops(town: Town):
    town.create("agent.clerk")
    runtime = town.runtime()
    await runtime.start()
    asking = asyncio.ensure_future(runtime.send_message(Note(), CLERK))
    await until(lambda: bool(town.records("agent.clerk")), "the request was sent")

    await runtime.stop()

    with pytest.raises(UndeliverableError):
        await asking


async def test_a_very_long_error_still_reaches_the_caller(town: Town):
    async def fail(agent: Resident, message: Note, ctx: MessageContext) -> None:
        raise ValueError("x" * 3_000_000)

    runtime = town.runtime()
    await town.settle(runtime, "clerk", fail)
    await runtime.start()

    with pytest.raises(RequestError, match="xxx") as caught:
        await runtime.send_message(Note(), CLERK)

    assert len(str(caught.value)) < 2_000
