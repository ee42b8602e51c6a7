"""Control: answers, cancellations and pauses reach an agent whatever it is doing, and whoever holds it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from agentopic.core import AgentId, CancellationToken, MessageContext
from agentopic.core._turn import ask
from agentopic.engine.request_ids import AskingStep, request_id
from agentopic.engine.runtime import EngineRuntime
from agentopic.envelope import Envelope
from agentopic.envelope import attributes as names
from agentopic.errors import MissingTopicError, PayloadError, RequestCancelledError
from agentopic.ports.transport import OutgoingRecord

from .town import NS, Note, Resident, Town, nothing, seeing, topic, until

CLERK = AgentId("clerk", "k")


async def hold(_: Resident, __: Note, ctx: MessageContext) -> None:
    """Work until the work is not wanted any more."""
    stopped = asyncio.get_running_loop().create_future()
    ctx.cancellation_token.link_future(stopped)
    await stopped


async def first_question(runtime: EngineRuntime) -> str:
    """Return the id of the one open question."""
    while not (found := await runtime.control.questions(["clerk"])):  # noqa: ASYNC110 - in the journal
        await asyncio.sleep(0.01)
    (question,) = found
    return question.id


def outside_request(town: Town, number: int = 0) -> Envelope:
    return Envelope(
        id=f"ask-{number}",
        source="/tests",
        type="town.Note.v1",
        datacontenttype="application/json",
        data=Note(number=number).model_dump_json().encode(),
        extensions={names.CORRELATIONID: f"ask-{number}"},
    )


def run_ends(town: Town) -> list[Envelope]:
    """Return the facts that a run has ended."""
    return [each for each in town.events("runs") if each.type == "agentopic.RunTerminal.v1"]


# ── answers ────────────────────────────────────────────────────────────────────────────────────────────────


async def ask_for_text(_: Resident, __: Note, ___: MessageContext) -> Note:
    """Ask a person."""
    return Note(text=str(await ask("Which one?", choices=["this", "that"])))


async def test_a_question_is_answered_from_another_process(town: Town):
    runtime, other = town.runtime(), town.runtime()
    await town.settle(runtime, "clerk", ask_for_text)
    await runtime.start()
    await other.start()

    asking = asyncio.ensure_future(runtime.send_message(Note(), CLERK))
    question = await first_question(other)
    await other.control.answer(question, CLERK, "that")

    assert (await asking).text == "that"


async def test_an_answer_given_while_nobody_runs_is_there_after_the_restart(town: Town):
    first, second, client = town.runtime(), town.runtime(), town.runtime()
    await town.settle(first, "clerk", ask_for_text)
    await first.start()
    await client.start()

    asking = asyncio.ensure_future(client.send_message(Note(), CLERK))
    question = await first_question(client)
    await first.stop()
    await client.control.answer(question, CLERK, "this")
    await town.settle(second, "clerk", ask_for_text)
    await second.start()

    assert (await asking).text == "this"


async def test_the_first_of_two_answers_counts(town: Town):
    runtime = town.runtime()
    await town.settle(runtime, "clerk", ask_for_text)
    await runtime.start()

    asking = asyncio.ensure_future(runtime.send_message(Note(), CLERK))
    question = await first_question(runtime)
    await runtime.control.answer(question, CLERK, "this")
    await runtime.control.answer(question, CLERK, "that")

    assert (await asking).text == "this"
    assert await runtime.control.questions(["clerk"]) == []


async def test_what_is_no_question_cannot_be_answered(town: Town):
    runtime = town.runtime()
    await town.settle(runtime, "clerk", nothing)
    await runtime.start()

    with pytest.raises(PayloadError):
        await runtime.control.answer("no question", CLERK, "this")
    with pytest.raises(PayloadError):
        await runtime.control.answer(f"{'0' * 32}.{'0' * 32}", CLERK, object())
    with pytest.raises(MissingTopicError):
        await runtime.control.answer(f"{'0' * 32}.{'0' * 32}", AgentId("nobody", "k"), 1)


async def test_a_question_is_a_fact_of_its_run(town: Town):
    runtime = town.runtime()
    await town.settle(runtime, "clerk", ask_for_text)
    await runtime.start()

    asking = asyncio.ensure_future(runtime.send_message(Note(), CLERK, message_id="the-run"))
    question = await first_question(runtime)
    await runtime.control.answer(question, CLERK, "this")
    await asking
    await until(lambda: len(town.events("runs")) == 2, "question and end are told")

    asked, ended = sorted(town.events("runs"), key=lambda each: each.type)
    assert (asked.type, ended.type) == ("agentopic.RunQuestion.v1", "agentopic.RunTerminal.v1")
    assert asked.correlationid == ended.correlationid == "the-run"
    assert question.encode() in (asked.data or b"")


# ── cancelling requests ────────────────────────────────────────────────────────────────────────────────────


async def test_a_running_request_is_cancelled_across_processes(town: Town):
    started, ended = list[str](), list[str]()

    async def work(agent: Resident, message: Note, ctx: MessageContext) -> None:
        started.append("x")
        try:
            await hold(agent, message, ctx)
        finally:
            ended.append("x")

    service, client, token = town.runtime(), town.runtime(), CancellationToken()
    await town.settle(service, "clerk", work)
    await service.start()
    await client.start()

    asking = asyncio.ensure_future(client.send_message(Note(), CLERK, cancellation_token=token))
    await until(lambda: bool(started), "the handler runs")
    token.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    await until(lambda: bool(ended), "the handler was told")
    await service.stop_when_idle()


async def test_whoever_holds_the_lane_is_woken_by_whoever_reads_the_command(town: Town):
    ended = list[str]()

    async def work(agent: Resident, message: Note, ctx: MessageContext) -> None:
        try:
            await hold(agent, message, ctx)
        finally:
            ended.append(agent.id.key)

    # With a lease this long, mail is looked at by itself only after the test has given up.
    one, other, client = (town.runtime(lease_seconds=60.0) for _ in range(3))
    for runtime in (one, other):
        await town.settle(runtime, "clerk", work)
        await runtime.start()
    await client.start()
    await until(lambda: len({mark.owner for mark in town.store.marks.values()}) == 2, "both lease partitions", 30)

    keys = [f"k{number}" for number in range(12)]
    asking = [asyncio.ensure_future(client.send_message(Note(), AgentId("clerk", key))) for key in keys]
    await until(lambda: sum(lane.running is not None for lane in town.store.lanes.values()) == 12, "all run")
    for asked in town.events("agent.clerk"):
        await client.control.cancel_request(AgentId("clerk", asked.agtargetkey or ""), asked)
    await until(lambda: len(ended) == 12, "all were told")
    outcomes = await asyncio.gather(*asking, return_exceptions=True)

    assert all(isinstance(each, RequestCancelledError) for each in outcomes)


async def test_a_stored_request_is_cancelled_before_it_runs(town: Town):
    seen, let_go = list[Note](), asyncio.Event()

    async def work(agent: Resident, message: Note, ctx: MessageContext) -> None:
        seen.append(message)
        await let_go.wait()

    runtime = town.runtime()
    await town.settle(runtime, "clerk", work)
    await runtime.start()

    await runtime.publish_message(Note(number=1), topic("clerk"))
    await until(lambda: len(seen) == 1, "the lane is busy")
    request = outside_request(town, 2)
    asking = asyncio.ensure_future(runtime.request_envelope(request, CLERK, deadline_seconds=30))
    await until(lambda: len(town.store.unfinished) == 2, "the request is stored")
    await runtime.control.cancel_request(CLERK, request)
    answer = await asking
    let_go.set()
    await runtime.stop_when_idle()
    terminals = run_ends(town)

    assert answer.agmsgkind == "fault"
    assert b"RequestCancelledError" in (answer.data or b"")
    assert [note.number for note in seen] == [1]
    assert [(each.correlationid, json.loads(each.data or b"")["outcome"]) for each in terminals] == [
        ("ask-2", "cancelled")
    ]


async def test_a_request_is_cancelled_before_it_has_arrived(town: Town):
    seen = list[Note]()
    runtime = town.runtime()
    await town.settle(runtime, "clerk", seeing(seen))
    await runtime.start()

    request = outside_request(town)
    await runtime.control.cancel_request(CLERK, request)
    await until(lambda: bool(town.store.seen), "the cancellation is applied")
    answer = await runtime.request_envelope(request, CLERK, deadline_seconds=30)
    await runtime.stop_when_idle()

    assert b"RequestCancelledError" in (answer.data or b"")
    assert seen == []
    assert [(each.correlationid, json.loads(each.data or b"")["outcome"]) for each in run_ends(town)] == [
        ("ask-0", "cancelled")
    ]


@pytest.mark.parametrize("asked", ["by an event", "by a turn"])
async def test_what_something_else_has_caused_is_not_the_end_of_its_run(town: Town, asked: str):
    runtime = town.runtime()
    await town.settle(runtime, "clerk", nothing)
    await runtime.start()

    request = outside_request(town)
    if asked == "by an event":
        request = request.with_extensions(causationid="earlier")
    else:
        step = AskingStep(bytes(16), bytes(16), bytes(16))
        request = request.with_extensions(agrequestid=request_id(step))
    await runtime.control.cancel_request(CLERK, request)
    await until(lambda: bool(town.store.seen), "the cancellation is applied")
    await runtime.stop_when_idle()

    assert run_ends(town) == []


async def test_a_cancellation_that_comes_too_late_changes_nothing(town: Town):
    async def answer(agent: Resident, message: Note, ctx: MessageContext) -> Note:
        return Note(text="done")

    runtime, request = town.runtime(), outside_request(town)
    await town.settle(runtime, "clerk", answer)
    await runtime.start()

    first = await runtime.request_envelope(request, CLERK, deadline_seconds=30)
    await runtime.control.cancel_request(CLERK, request)
    second = await runtime.request_envelope(request, CLERK, deadline_seconds=30)

    assert first.data == second.data
    assert b"done" in (second.data or b"")


async def test_an_agent_that_gives_up_its_request_has_its_callee_told(town: Town):
    ended = list[str]()

    async def work(agent: Resident, message: Note, ctx: MessageContext) -> None:
        try:
            await hold(agent, message, ctx)
        finally:
            ended.append(agent.id.type)

    async def give_up(agent: Resident, message: Note, ctx: MessageContext) -> Note:
        token = CancellationToken()
        asking = asyncio.ensure_future(agent.send_message(Note(), CLERK, cancellation_token=token))
        await until(lambda: bool(town.records("agent.clerk")), "it was asked")
        token.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        return Note(text="on my own then")

    runtime, service = town.runtime(), town.runtime()
    await town.settle(runtime, "boss", give_up)
    await town.settle(service, "clerk", work)
    await service.start()
    await runtime.start()

    answer = await runtime.send_message(Note(), AgentId("boss", "k"))
    await until(lambda: bool(ended), "the callee was told")
    await service.stop_when_idle()

    assert answer.text == "on my own then"


async def test_a_cancelled_callee_is_a_cancelled_request_for_its_caller(town: Town):
    caught = list[Exception]()

    async def delegate(agent: Resident, message: Note, ctx: MessageContext) -> None:
        try:
            await agent.send_message(Note(), CLERK)
        except RequestCancelledError as exc:
            caught.append(exc)

    runtime = town.runtime()
    await town.settle(runtime, "boss", delegate)
    await town.settle(runtime, "clerk", hold)
    await runtime.start()

    await runtime.publish_message(Note(), topic("boss"))
    await until(lambda: bool(town.records("agent.clerk")), "it was asked")
    (asked,) = town.events("agent.clerk")
    await runtime.control.cancel_request(CLERK, asked)
    await until(lambda: bool(caught), "the caller was told")
    await runtime.stop_when_idle()


# ── cancelling runs ────────────────────────────────────────────────────────────────────────────────────────


async def test_a_cancelled_run_ends_in_every_process(town: Town):
    held = list[str]()

    async def delegate(agent: Resident, message: Note, ctx: MessageContext) -> None:
        held.append(agent.id.type)
        await agent.send_message(Note(), CLERK)

    async def work(agent: Resident, message: Note, ctx: MessageContext) -> None:
        held.append(agent.id.type)
        await hold(agent, message, ctx)

    one, other, client = town.runtime(), town.runtime(), town.runtime()
    await town.settle(one, "boss", delegate)
    await town.settle(other, "clerk", work)
    for runtime in (one, other, client):
        await runtime.start()

    asking = asyncio.ensure_future(client.send_message(Note(), AgentId("boss", "k"), message_id="the-run"))
    await until(lambda: set(held) == {"boss", "clerk"}, "both are at it")
    await client.control.cancel_run("the-run")
    with pytest.raises(RequestCancelledError):
        await asking
    await one.stop_when_idle()
    await other.stop_when_idle()

    assert [each.correlationid for each in run_ends(town)] == ["the-run"]


async def test_what_a_cancelled_run_causes_later_is_not_begun(town: Town):
    seen = list[Note]()
    runtime = town.runtime()
    await town.settle(runtime, "clerk", seeing(seen))
    await runtime.start()

    await runtime.control.cancel_run("the-run")
    await until(lambda: bool(town.store.cancelled_runs), "the cancellation is applied")
    with pytest.raises(RequestCancelledError):
        await runtime.send_message(Note(number=1), CLERK, message_id="the-run")
    await runtime.send_message(Note(number=2), CLERK)

    assert [note.number for note in seen] == [2]


# ── pausing ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_paused_agent_starts_nothing_until_it_is_resumed(town: Town):
    seen = list[Note]()
    runtime, other = town.runtime(), town.runtime()
    await town.settle(runtime, "clerk", seeing(seen))
    await runtime.start()
    await other.start()

    await other.control.pause(CLERK)
    await until(lambda: any(lane.paused for lane in town.store.lanes.values()), "the lane is paused")
    await other.publish_message(Note(number=1), topic("clerk"))
    await other.publish_message(Note(number=2), topic("clerk", "another"))
    await until(lambda: len(seen) == 1, "the other agent goes on")
    await until(lambda: len(town.store.unfinished) == 1, "what is for the paused one is stored")
    before = [note.number for note in seen]
    await other.control.resume(CLERK)
    await runtime.stop_when_idle()

    assert before == [2]
    assert [note.number for note in seen] == [2, 1]


async def test_a_pause_outlasts_a_restart(town: Town):
    seen = list[Note]()
    first, second = town.runtime(), town.runtime()
    await town.settle(first, "clerk", seeing(seen))
    await first.start()

    await first.control.pause(CLERK)
    await until(lambda: any(lane.paused for lane in town.store.lanes.values()), "the lane is paused")
    await first.publish_message(Note(), topic("clerk"))
    await first.stop()
    await town.settle(second, "clerk", seeing(seen))
    await second.start()
    await until(lambda: len(town.store.unfinished) == 1, "it is stored")
    before = len(seen)
    await second.control.resume(CLERK)
    await until(lambda: len(seen) == 1, "it is handled")

    assert before == 0


# ── what is no command ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("value", [b"not json", b'{"turn": 7}'])
async def test_what_is_no_command_is_a_dead_letter_and_stops_nothing(town: Town, value: bytes):
    runtime = town.runtime()
    await town.settle(runtime, "clerk", nothing)
    await runtime.start()

    headers: dict[str, Any] = {
        "ce_specversion": "1.0",
        "ce_id": "x",
        "ce_source": "/s",
        "ce_type": "agentopic.Answer.v1",
    }
    record = OutgoingRecord(
        topic=f"{NS}.control.clerk",
        key=b"k",
        value=value,
        headers=tuple((name, text.encode()) for name, text in headers.items()),
    )
    await runtime.mesh.transport.send([record])
    await until(lambda: bool(town.records("dead.clerk")), "it is put aside")
    await runtime.control.pause(CLERK)
    await until(lambda: any(lane.paused for lane in town.store.lanes.values()), "the next command is applied")

    assert town.reasons("clerk") == ["PayloadError"]
