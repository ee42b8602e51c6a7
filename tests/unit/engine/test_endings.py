"""How turns end that nobody wants any more, or that are given up."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agentopic.core import AgentId, BaseAgent, MessageContext, TypeSubscription, step
from agentopic.core._turn import current_turn
from agentopic.engine.runtime import EngineRuntime
from agentopic.envelope import Envelope
from agentopic.envelope import attributes as names
from agentopic.errors import RequestCancelledError

from .test_waiting import held, questions, started
from .town import Note, Resident, Town, seeing, topic, until

CLERK = AgentId("clerk", "k")


async def asked(town: Town, runtime: EngineRuntime) -> tuple[asyncio.Future[Any], Envelope]:
    """Ask the clerk something and return the coming answer and the request as it was sent."""
    asking = asyncio.ensure_future(runtime.send_message(Note(text="work"), CLERK))
    await until(lambda: bool(town.events("agent.clerk")), "the request is sent")
    return asking, town.events("agent.clerk")[0]


# ── cancellation ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("waiting", ["a person", "anything", "a step"])
async def test_a_cancelled_request_ends_its_turn_and_tells_its_caller(town: Town, waiting: str):
    began, ends = asyncio.Event(), list[str]()

    async def for_ever() -> None:
        await asyncio.Event().wait()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        began.set()
        await agent.publish_message(Note(text="never"), topic("out"))
        try:
            match waiting:
                case "a person":
                    await ctx.ask("Go on?")
                case "a step":
                    await step("work", for_ever)
                case _:
                    await for_ever()
        finally:
            ends.append(f"token {ctx.cancellation_token.is_cancelled()}")

    town.create("topic.out")
    runtime = await started(town, handle)
    asking, request = await asked(town, runtime)
    await began.wait()

    await runtime.control.cancel_request(CLERK, request)
    with pytest.raises(RequestCancelledError):
        await asking
    await runtime.stop_when_idle()

    assert ends == ["token True"]
    assert town.notes("topic.out") == []
    assert town.records("dead.clerk") == []


async def test_a_request_cancelled_while_its_turn_is_out_of_memory_is_answered_without_running(town: Town):
    attempts = list[int]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        attempts.append(1)
        await ctx.ask("Go on?")

    runtime = await started(town, handle, suspend_seconds=0.0)
    asking, request = await asked(town, runtime)
    await questions(runtime)
    await until(lambda: not held(runtime), "the turn is out of memory")

    await runtime.control.cancel_request(CLERK, request)
    with pytest.raises(RequestCancelledError):
        await asking
    await runtime.stop_when_idle()

    assert len(attempts) == 1
    assert list(await runtime.control.questions()) == []


async def test_a_question_of_a_cancelled_run_is_withdrawn_though_its_turn_is_out_of_memory(town: Town):
    attempts = list[str]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        attempts.append(message.text)
        await ctx.ask("Go on?")

    runtime = await started(town, handle, suspend_seconds=0.0)
    for text in ("ended", "kept"):
        await runtime.publish_message(Note(text=text), topic("clerk", text), message_id=text)
    await questions(runtime, 2)
    await until(lambda: not held(runtime), "both turns are out of memory")

    await runtime.control.cancel_run("ended")
    async with asyncio.timeout(10):
        left = await runtime.control.questions()
        while len(left) > 1:
            await asyncio.sleep(0.02)
            left = await runtime.control.questions()

    assert [each.note["run"] for each in left] == ["kept"]
    assert sorted(attempts) == ["ended", "kept"]
    assert town.records("dead.clerk") == []


async def test_a_step_of_a_cancelled_run_is_not_begun(town: Town):
    calls, began, go_on = list[str](), asyncio.Event(), asyncio.Event()

    async def call() -> None:
        calls.append("called")

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        began.set()
        ctx.cancellation_token.add_callback(go_on.set)
        await go_on.wait()
        await step("call", call)

    runtime = await started(town, handle)
    await runtime.publish_message(Note(), topic("clerk"), message_id="run")
    await began.wait()

    await runtime.control.cancel_run("run")
    await runtime.stop_when_idle()

    assert calls == []
    assert town.records("dead.clerk") == []


async def test_a_lane_goes_on_after_a_cancelled_turn(town: Town):
    began, seen = asyncio.Event(), list[str]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        seen.append(message.text)
        if message.text == "work":
            began.set()
            await asyncio.Event().wait()

    runtime = await started(town, handle)
    asking, request = await asked(town, runtime)
    await began.wait()
    following = asyncio.ensure_future(runtime.send_message(Note(text="next"), CLERK))

    await runtime.control.cancel_request(CLERK, request)
    with pytest.raises(RequestCancelledError):
        await asking
    await following

    assert seen == ["work", "next"]


async def test_a_handler_that_ends_in_its_own_way_when_cancelled_has_answered(town: Town):
    began = asyncio.Event()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> Note:
        cancelled = asyncio.Event()
        ctx.cancellation_token.add_callback(cancelled.set)
        began.set()
        await cancelled.wait()
        return Note(text="so far")

    runtime = await started(town, handle)
    asking, request = await asked(town, runtime)
    await began.wait()

    await runtime.control.cancel_request(CLERK, request)

    assert (await asking).text == "so far"


async def test_a_cancelled_run_ends_its_running_and_its_waiting_turns(town: Town):
    began, ends = list[str](), list[str]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        began.append(message.text)
        try:
            if message.text == "asks":
                await ctx.ask("Go on?")
            await asyncio.Event().wait()
        finally:
            ends.append(message.text)

    runtime = await started(town, handle)
    for text in ("asks", "works"):
        await runtime.publish_message(Note(text=text), topic("clerk", text), message_id=text)
    await until(lambda: len(began) == 2, "both began")

    await runtime.control.cancel_run("asks")
    await runtime.control.cancel_run("works")
    await runtime.stop_when_idle()

    assert sorted(ends) == ["asks", "works"]
    assert town.records("dead.clerk") == []


async def test_a_turn_that_ends_tells_whom_it_asked_that_nobody_waits_any_more(town: Town):
    began, ends = asyncio.Event(), list[str]()

    async def work(agent: Resident, message: Note, ctx: MessageContext) -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ends.append("worker cancelled")

    async def ask(agent: Resident, message: Note, ctx: MessageContext) -> None:
        asking = asyncio.ensure_future(agent.send_message(Note(), AgentId("worker", "w")))
        await began.wait()
        assert not asking.done()

    runtime = town.runtime()
    await town.settle(runtime, "clerk", ask)
    await town.settle(runtime, "worker", work)
    await runtime.start()

    await runtime.publish_message(Note(), topic("clerk"))
    await runtime.stop_when_idle()

    assert ends == ["worker cancelled"]


@pytest.mark.parametrize("then", ["awaits", "returns", "raises"])
async def test_a_handler_that_cancels_its_own_task_wedges_nothing(town: Town, then: str):
    seen = list[str]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        seen.append(message.text)
        if message.text != "bad":
            return
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        if then == "awaits":
            await asyncio.sleep(0)
        if then == "raises":
            raise ValueError("after all")

    runtime = await started(town, handle)
    for text in ("bad", "good"):
        await runtime.publish_message(Note(text=text), topic("clerk"))
    await runtime.stop_when_idle()

    assert seen[-1] == "good"
    assert town.reasons("clerk") == ([] if then == "returns" else ["AttemptsExhaustedError"])


# ── on_fault ───────────────────────────────────────────────────────────────────────────────────────────────


class Careful(Resident):
    """Publishes an apology for what is given up, and counts it."""

    fault: Any = None

    async def on_fault(self, error: BaseException) -> None:
        self.turns += 100
        await self.publish_message(Note(text=type(error).__name__, number=self.turns), topic("out"))
        if self.fault is not None:
            await self.fault(self)


async def careful(town: Town, handler: Any, fault: Any = None) -> EngineRuntime:
    def make() -> Careful:
        agent = Careful(handler)
        agent.fault = fault
        return agent

    town.create("topic.out")
    runtime = town.runtime()
    await Careful.register(runtime, "clerk", make)
    await runtime.add_subscription(TypeSubscription("clerk", "clerk"))
    await runtime.start()
    return runtime


async def fail_on(agent: Resident, message: Note, ctx: MessageContext) -> None:
    await agent.publish_message(Note(text="of a failed attempt"), topic("out"))
    if message.text == "bad":
        raise ValueError("no")


async def test_on_fault_publishes_and_changes_state_with_the_dead_letter(town: Town):
    runtime = await careful(town, fail_on)

    await runtime.publish_message(Note(text="bad"), topic("clerk"))
    await until(lambda: bool(town.notes("topic.out")), "the apology")
    await runtime.publish_message(Note(text="good"), topic("clerk"))
    await runtime.stop_when_idle()

    first, second = town.notes("topic.out")
    assert (first.text, first.number) == ("AttemptsExhaustedError", 100)  # an instance no failed attempt has touched
    assert second.text == "of a failed attempt"
    assert len(town.records("dead.clerk")) == 1


async def test_an_error_in_on_fault_changes_nothing_about_the_dead_letter(town: Town):
    async def fail(agent: Careful) -> None:
        raise RuntimeError("in the farewell")

    runtime = await careful(town, fail_on, fail)

    await runtime.publish_message(Note(text="bad"), topic("clerk"))
    await runtime.stop_when_idle()

    assert town.notes("topic.out") == []
    assert town.reasons("clerk") == ["AttemptsExhaustedError"]


async def test_on_fault_may_ask_a_person_and_is_gone_on_with_after_a_drain(town: Town):
    answers = list[Any]()

    async def ask(agent: Careful) -> None:
        turn = current_turn.get()
        assert turn is not None
        answers.append(await turn.ask("What now?"))

    first = await careful(town, fail_on, ask)
    await first.publish_message(Note(text="bad"), topic("clerk"))
    (question,) = await questions(first)
    await first.stop()
    second = await careful(town, fail_on, ask)

    await second.control.answer(question.id, question.agent, "apologise")
    await until(lambda: bool(town.records("dead.clerk")), "the delivery is given up")
    await second.stop_when_idle()

    assert answers == ["apologise"]
    assert [note.text for note in town.notes("topic.out")] == ["AttemptsExhaustedError"]


async def test_agents_without_on_fault_hear_nothing(town: Town):
    assert Resident.on_fault is BaseAgent.on_fault

    runtime = await started(town, fail_on)
    await runtime.publish_message(Note(text="bad"), topic("clerk"))
    await until(lambda: bool(town.records("dead.clerk")), "the delivery is given up")


# ── what a turn is told ────────────────────────────────────────────────────────────────────────────────────


async def test_the_fencing_token_rises_with_every_taking(town: Town):
    tokens = list[int]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        turn = current_turn.get()
        assert turn is not None
        tokens.append(turn.fencing_token)

    for _ in range(3):
        runtime = await started(town, handle)
        await runtime.publish_message(Note(), topic("clerk"))
        await runtime.stop_when_idle()

    assert tokens == sorted(set(tokens))
    assert len(tokens) == 3


@pytest.mark.parametrize(("fresh", "made"), [(None, ["pay", "fail", "fail"]), ("1", ["pay", "fail", "pay", "fail"])])
async def test_a_redriven_event_uses_what_succeeded_before_unless_it_is_fresh(
    town: Town, fresh: str | None, made: list[str]
):
    calls, repaired = list[str](), False

    async def pay() -> str:
        calls.append("pay")
        return "paid"

    async def fail() -> str:
        calls.append("fail")
        if not repaired:
            raise ValueError("not yet")
        return "fine"

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        await step("pay", pay)
        await step("fail", fail)

    runtime = await started(town, handle)
    await runtime.publish_message(Note(), topic("clerk"))
    await until(lambda: bool(town.records("dead.clerk")), "given up")
    repaired = True

    (event,) = town.events("topic.clerk")
    redriven = event.with_extensions(**{names.AGREDRIVE: 1, names.AGFRESH: fresh})
    await runtime.publish_envelope(redriven, topic("clerk"))
    await runtime.stop_when_idle()

    assert calls == made
    assert len(town.records("dead.clerk")) == 1


class Forgetful(BaseAgent):
    """Keeps what it knows to itself."""

    def __init__(self, seen: list[int]) -> None:
        super().__init__("forgets at its end")
        self.count, self.seen = 0, seen

    async def on_message_impl(self, message: Note, ctx: MessageContext) -> None:
        self.count += 1
        self.seen.append(self.count)
        if message.text == "bad":
            raise ValueError("no")


async def test_an_agent_of_a_plain_factory_that_keeps_no_state_lives_in_its_process(town: Town):
    seen = list[int]()
    runtime = town.runtime(idle_agents=0)
    from agentopic.core import try_get_known_serializers_for_type

    await runtime.register_factory("clerk", lambda: Forgetful(seen))
    runtime.add_message_serializer(try_get_known_serializers_for_type(Note))
    await runtime.add_subscription(TypeSubscription("clerk", "clerk"))
    with pytest.warns(UserWarning, match="gone with this process"):
        await runtime.start()

    for text in ("good", "bad", "good"):
        await runtime.publish_message(Note(text=text), topic("clerk"))
    await runtime.stop_when_idle()

    assert seen == [1, 2, 3]  # the same instance, and no second attempt on it
    assert len(town.records("dead.clerk")) == 1


async def test_nothing_is_held_after_the_turns_have_ended(town: Town):
    runtime = await started(town, seeing([]))

    await runtime.publish_message(Note(), topic("clerk"))
    await until(lambda: not held(runtime), "the lane is given back")
