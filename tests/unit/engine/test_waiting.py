"""Turns that wait: for a time, for a person; suspended, unwound, gone on with elsewhere."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agentopic.core import AgentId, MessageContext, step
from agentopic.core._turn import StepSpec, current_turn
from agentopic.engine.control_client import OpenQuestion
from agentopic.engine.lanes import Hosted
from agentopic.engine.runtime import EngineRuntime
from agentopic.errors import RateLimitedError

from .town import Handler, Note, Resident, Town, topic, until


async def started(town: Town, handler: Handler, *, concurrency: int | None = None, **options: Any) -> EngineRuntime:
    """Return a running process with this handler."""
    runtime = town.runtime(**options)
    hosting: dict[str, Any] = {} if concurrency is None else {"concurrency": concurrency}
    await town.settle(runtime, "clerk", handler, **hosting)
    await runtime.start()
    return runtime


async def questions(runtime: EngineRuntime, count: int = 1) -> list[OpenQuestion]:
    """Wait until so many questions are open and return them."""
    found: list[OpenQuestion] = []
    async with asyncio.timeout(10):
        while len(found) < count:
            found = list(await runtime.control.questions())
            await asyncio.sleep(0.01)
    return found


async def test_a_sleeping_turn_holds_no_slot(town: Town):
    order = list[str]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        order.append(f"{message.text} starts")
        if message.text == "slow":
            await ctx.sleep(0.3)
        order.append(f"{message.text} ends")

    runtime = await started(town, handle, concurrency=1)

    await runtime.publish_message(Note(text="slow"), topic("clerk", "a"))
    await until(lambda: order == ["slow starts"], "the slow one starts")
    await runtime.publish_message(Note(text="quick"), topic("clerk", "b"))
    await runtime.stop_when_idle()

    assert order == ["slow starts", "quick starts", "quick ends", "slow ends"]


async def test_waiting_turns_by_the_thousand_finish_in_ten_slots(town: Town):
    turns, running, most = 3_000, 0, 0
    release = asyncio.Event()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        running -= 1
        if message.number == turns - 1:
            release.set()
        await ctx.sleep(0.5)
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    runtime = await started(town, handle, concurrency=10, message_queue_size=turns)

    for number in range(turns):
        await runtime.publish_message(Note(number=number), topic("clerk", str(number)))
    await runtime.stop_when_idle()

    assert release.is_set()
    assert most <= 10


async def test_what_follows_in_a_lane_waits_behind_a_sleeping_turn(town: Town):
    order = list[str]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        await ctx.sleep(0.1 if message.text == "first" else 0.0)
        order.append(message.text)

    runtime = await started(town, handle)

    for text in ("first", "second"):
        await runtime.publish_message(Note(text=text), topic("clerk"))
    await runtime.stop_when_idle()

    assert order == ["first", "second"]


async def test_a_question_is_answered_by_anybody_once(town: Town):
    answers = list[Any]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        answers.append(await ctx.ask("Refund?", choices=["yes", "no"], details={"amount": 10}))

    runtime = await started(town, handle)
    await runtime.publish_message(Note(), topic("clerk"))
    (question,) = await questions(runtime)

    await runtime.control.answer(question.id, question.agent, "yes")
    await runtime.control.answer(question.id, question.agent, "no")
    await until(lambda: bool(answers), "the answer arrives")
    await runtime.stop_when_idle()

    assert answers == ["yes"]
    assert question.note["text"] == "Refund?"
    assert question.note["choices"] == ["yes", "no"]
    assert question.note["details"] == {"amount": 10}


async def test_a_question_is_published_as_a_fact_of_its_run(town: Town):
    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        await ctx.ask("Refund?")

    runtime = await started(town, handle)
    await runtime.publish_message(Note(), topic("clerk"), message_id="m1")
    (question,) = await questions(runtime)
    await until(lambda: bool(town.events("runs")), "the fact is sent")

    (fact,) = town.events("runs")

    assert fact.correlationid == question.note["run"] == "m1"
    assert question.id.encode() in (fact.data or b"")


async def test_a_drain_parks_a_waiting_turn_and_another_process_goes_on_with_it(town: Town):
    paid, answers = list[str](), list[Any]()

    async def pay() -> str:
        paid.append("once")
        return "paid"

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        result = await step("pay", pay)
        answers.append((result, await ctx.ask("Go on?")))

    first = await started(town, handle)
    await first.publish_message(Note(), topic("clerk"))
    (question,) = await questions(first)

    await first.stop()
    second = await started(town, handle)
    (same,) = await questions(second)
    await second.control.answer(same.id, same.agent, True)
    await until(lambda: bool(answers), "the other process finishes the turn")

    assert same.id == question.id
    assert paid == ["once"]
    assert answers == [("paid", True)]


async def test_an_answer_given_while_no_process_runs_is_found_at_the_next_start(town: Town):
    answers = list[Any]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        answers.append(await ctx.ask("Go on?"))

    first = await started(town, handle)
    await first.publish_message(Note(), topic("clerk"))
    (question,) = await questions(first)
    await first.stop()

    client = town.runtime()
    await client.start()
    await client.control.answer(question.id, question.agent, {"ok": [1, "ü"]})
    await started(town, handle)
    await until(lambda: bool(answers), "the turn goes on")

    assert answers == [{"ok": [1, "ü"]}]


async def test_a_turn_that_waits_long_is_unwound_and_run_again_when_it_can_go_on(town: Town):
    attempts, answers = list[int](), list[Any]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        attempts.append(agent.turns)
        answers.append(await ctx.ask("Go on?"))

    runtime = await started(town, handle, suspend_seconds=0.0)
    await runtime.publish_message(Note(), topic("clerk"))
    (question,) = await questions(runtime)
    await until(lambda: not held(runtime), "the turn is out of memory")

    await runtime.control.answer(question.id, question.agent, "yes")
    await until(lambda: bool(answers), "the turn goes on")
    await runtime.stop_when_idle()

    assert answers == ["yes"]
    assert attempts == [1, 1]  # the second attempt began with the state as it was


async def test_a_turn_unwound_at_a_timer_is_run_again_when_it_fires(town: Town):
    attempts, ended = list[int](), list[str]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        attempts.append(1)
        await ctx.sleep(1.6)
        ended.append(message.text)

    runtime = await started(town, handle, suspend_seconds=0.0)

    await runtime.publish_message(Note(text="slept"), topic("clerk"))
    await until(lambda: bool(ended), "the timer fires")
    await runtime.stop_when_idle()

    assert len(attempts) == 2
    assert ended == ["slept"]


@pytest.mark.parametrize("ending", ["swallowed", "another error", "gone on"])
async def test_a_handler_that_eats_its_unwinding_has_not_handled_anything(town: Town, ending: str):
    attempts, answers = list[int](), list[Any]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> str | None:
        attempts.append(1)
        try:
            answers.append(await ctx.ask("Go on?"))
        except BaseException:  # noqa: BLE001 - the very thing it must not achieve anything by
            await agent.publish_message(Note(text="never"), topic("out"))
            if ending == "another error":
                raise ValueError("from a clean-up") from None
            if ending == "gone on":
                answers.append(await step("never", lambda: asyncio.sleep(0, "made")))
        return None

    town.create("topic.out")
    first = await started(town, handle)
    await first.publish_message(Note(), topic("clerk"))
    (question,) = await questions(first)
    await first.stop()
    second = await started(town, handle)

    await second.control.answer(question.id, question.agent, "yes")
    await until(lambda: bool(answers), "the turn goes on")
    await second.stop_when_idle()

    assert len(attempts) == 2
    assert answers == ["yes"]
    assert town.notes("topic.out") == []
    assert town.records("dead.clerk") == []


async def test_a_turn_above_the_memory_limit_is_unwound_before_its_time(town: Town):
    answers = list[Any]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        answers.append(await ctx.ask("Go on?"))

    runtime = await started(town, handle, memory_limit_bytes=1)
    await runtime.publish_message(Note(), topic("clerk"))
    (question,) = await questions(runtime)
    await until(lambda: not held(runtime), "the turn is out of memory")

    await runtime.control.answer(question.id, question.agent, "yes")
    await until(lambda: bool(answers), "the turn goes on")

    assert answers == ["yes"]


async def test_parallel_waits_each_get_their_own_result(town: Town):
    results = list[Any]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        results.extend(await asyncio.gather(ctx.ask("one?"), ctx.sleep(0.05), ctx.ask("two?")))

    runtime = await started(town, handle, concurrency=1)
    await runtime.publish_message(Note(), topic("clerk"))

    for question in await questions(runtime, 2):
        await runtime.control.answer(question.id, question.agent, question.note["text"])
    await until(lambda: bool(results), "both answers arrive")
    await runtime.stop_when_idle()

    assert results == ["one?", None, "two?"]


async def test_a_branch_that_works_keeps_the_slot_while_another_one_waits(town: Town):
    working, go_on = asyncio.Event(), asyncio.Event()
    ended = list[str]()

    async def work() -> str:
        working.set()
        await go_on.wait()
        return "worked"

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        if message.text == "both":
            await asyncio.gather(ctx.sleep(0.05), step("work", work))
        ended.append(message.text)

    runtime = await started(town, handle, concurrency=1)
    await runtime.publish_message(Note(text="both"), topic("clerk", "a"))
    await working.wait()
    await runtime.publish_message(Note(text="other"), topic("clerk", "b"))
    await until(lambda: free(runtime) == 0, "no slot is free")

    go_on.set()
    await runtime.stop_when_idle()

    assert sorted(ended) == ["both", "other"]


async def test_a_wait_that_the_handler_breaks_off_is_broken_off_on_a_later_attempt_too(town: Town):
    ends = list[str]()
    late = asyncio.Event()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        try:
            async with asyncio.timeout(0.1):
                await ctx.ask("Quick?")
            ends.append("answered")
        except TimeoutError:
            ends.append("too late")
        if len(ends) == 1:
            late.set()
            raise ValueError("once more")

    runtime = await started(town, handle)
    await runtime.publish_message(Note(), topic("clerk"))
    (question,) = await questions(runtime)
    await late.wait()

    await runtime.control.answer(question.id, question.agent, "yes")
    await until(lambda: len(ends) == 2, "the second attempt")
    await runtime.stop_when_idle()

    assert ends == ["too late", "too late"]
    assert town.records("dead.clerk") == []


async def test_a_question_inside_a_step_is_recorded_and_frees_the_slot(town: Town):
    answers, other = list[Any](), list[str]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        if message.text == "other":
            other.append(message.text)
            return
        answers.append(await step("tool", lambda: ctx.ask("Inside?"), repeatable=True))

    runtime = await started(town, handle, concurrency=1)
    await runtime.publish_message(Note(), topic("clerk", "a"))
    (question,) = await questions(runtime)
    await runtime.publish_message(Note(text="other"), topic("clerk", "b"))
    await until(lambda: bool(other), "the slot is free")

    await runtime.control.answer(question.id, question.agent, "yes")
    await until(lambda: bool(answers), "the answer arrives")
    await runtime.stop_when_idle()

    assert answers == ["yes"]


async def test_a_turn_unwound_while_it_waits_for_a_reply_goes_on_when_the_reply_comes(town: Town):
    attempts, asked, replies = list[int](), list[int](), list[str]()
    release = asyncio.Event()

    async def work(agent: Resident, message: Note, ctx: MessageContext) -> Note:
        asked.append(1)
        await release.wait()
        return Note(text="worked")

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        attempts.append(1)
        answer = await agent.send_message(Note(), AgentId("worker", "w"))
        replies.append(answer.text)

    runtime = town.runtime(suspend_seconds=0.0)
    await town.settle(runtime, "worker", work)
    await town.settle(runtime, "clerk", handle)
    await runtime.start()
    await runtime.publish_message(Note(), topic("clerk"))
    await until(lambda: bool(asked) and held(runtime) == 1, "only the worker's turn is in memory")

    release.set()
    await until(lambda: bool(replies), "the turn goes on")
    await runtime.stop_when_idle()

    assert replies == ["worked"]
    assert len(attempts) == 2
    assert len(asked) == 1


async def test_a_long_retry_delay_inside_a_model_step_holds_no_slot(town: Town, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("agentopic.engine.steps.LONG_DELAY_SECONDS", 0.1)
    order = list[str]()

    async def call(_: str) -> str:
        order.append("called")
        if order.count("called") == 1:
            raise RateLimitedError("busy", retry_after_seconds=0.4)
        return "answer"

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        turn = current_turn.get()
        assert turn is not None
        if message.text == "model":
            spec: StepSpec[str] = StepSpec(
                kind="model", name="m", input=b"", encode=str.encode, decode=bytes.decode, repeatable=True
            )
            await turn.step(spec, call)
        order.append(message.text)

    runtime = await started(town, handle, concurrency=1)
    await runtime.publish_message(Note(text="model"), topic("clerk", "a"))
    await until(lambda: bool(order), "the call fails")
    await runtime.publish_message(Note(text="other"), topic("clerk", "b"))
    await runtime.stop_when_idle()

    assert order == ["called", "other", "called", "model"]


@pytest.mark.parametrize("seconds", [0.0, -1.0])
async def test_a_timer_that_is_due_at_once_does_not_wait(town: Town, seconds: float):
    ended = list[str]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        await ctx.sleep(seconds)
        ended.append(message.text)

    runtime = await started(town, handle)

    await runtime.publish_message(Note(text="at once"), topic("clerk"))
    await runtime.stop_when_idle()

    assert ended == ["at once"]


def held(runtime: EngineRuntime) -> int:
    """Return how many lanes a process holds."""
    return sum(len(each.held) for each in hosted(runtime))


def free(runtime: EngineRuntime) -> int:
    """Return how many slots are free."""
    return sum(each.slots.free for each in hosted(runtime))


def hosted(runtime: EngineRuntime) -> list[Hosted]:
    """Return what a running process holds, agent type by agent type."""
    host = runtime._life.host
    assert host is not None
    assert host.incarnation is not None
    return list(host.incarnation.lanes._hosted.values())
