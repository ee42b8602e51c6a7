"""What a handler may do, and what becomes of its turn."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agentopic.core import AgentId, MessageContext, step
from agentopic.core._turn import StepSpec, current_turn
from agentopic.engine.options import RetryPolicy
from agentopic.engine.steps import TurnLost
from agentopic.envelope import Envelope
from agentopic.errors import Reject, RequestError, RetryLater, TurnClosedError

from .town import Note, Resident, Town, fact, nothing, seeing, topic, until


async def run_one(town: Town, handler: Any, **options: Any) -> None:
    """Publish one note to an agent with this handler and wait until all is done."""
    runtime = town.runtime(**options)
    await town.settle(runtime, "clerk", handler)
    await runtime.start()
    await runtime.publish_message(Note(text="hello"), topic("clerk"))
    await runtime.stop_when_idle()


async def test_a_publish_to_a_topic_that_does_not_exist_is_dead_lettered_at_once(town: Town):
    attempts = list[int]()

    async def publish(agent: Resident, message: Note, ctx: MessageContext) -> None:
        attempts.append(1)
        await agent.publish_message(Note(), topic("nowhere"))

    await run_one(town, publish)

    assert town.reasons("clerk") == ["MissingTopicError"]
    assert len(attempts) == 1


async def test_publishes_of_a_failed_attempt_never_leave(town: Town):
    attempts = list[int]()

    async def publish(agent: Resident, message: Note, ctx: MessageContext) -> None:
        attempts.append(1)
        await agent.publish_message(Note(number=len(attempts)), topic("out"))
        if len(attempts) < 3:
            raise ValueError("not yet")

    town.create("topic.out")
    await run_one(town, publish)

    assert [note.number for note in town.notes("topic.out")] == [3]


@pytest.mark.parametrize(
    "error", [asyncio.CancelledError(), SystemExit(3), BaseExceptionGroup("both", [SystemExit(1), ValueError()])]
)
async def test_whatever_a_handler_raises_is_its_failure_and_wedges_nothing(town: Town, error: BaseException):
    seen = list[str]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        seen.append(message.text)
        if message.text == "bad":
            raise error

    runtime = town.runtime()
    await town.settle(runtime, "clerk", handle)
    await runtime.start()

    for text in ("bad", "good"):
        await runtime.publish_message(Note(text=text), topic("clerk"))
    await runtime.stop_when_idle()

    assert seen == ["bad", "bad", "bad", "good"]
    assert town.reasons("clerk") == ["AttemptsExhaustedError"]


async def test_a_cancelled_send_is_the_handlers_failure(town: Town):
    async def ask(agent: Resident, message: Note, ctx: MessageContext) -> None:
        asking = asyncio.ensure_future(agent.send_message(Note(), AgentId("oracle", "k")))
        ctx.cancellation_token.link_future(asking)
        ctx.cancellation_token.cancel()
        await asking

    runtime = town.runtime(retry=RetryPolicy(max_failures=1))
    await town.settle(runtime, "clerk", ask)
    await town.settle(runtime, "oracle", nothing)
    await runtime.start()

    await runtime.publish_message(Note(), topic("clerk"))
    await runtime.stop_when_idle()

    assert town.reasons("clerk") == ["CancelledError"]


async def test_retries_keep_the_order_of_a_lane_and_let_others_pass(town: Town):
    seen = list[tuple[str, int]]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        seen.append((agent.id.key, message.number))
        if (agent.id.key, message.number) == ("slow", 1) and seen.count(("slow", 1)) < 3:
            raise RetryLater("come back", 0.05)

    runtime = town.runtime()
    await town.settle(runtime, "clerk", handle)
    await runtime.start()

    for number in (1, 2):
        for key in ("slow", "quick"):
            await runtime.publish_message(Note(number=number), topic("clerk", key))
    await runtime.stop_when_idle()

    assert [number for key, number in seen if key == "slow"] == [1, 1, 1, 2]
    assert seen.index(("quick", 2)) < seen.index(("slow", 2))


async def test_a_rejected_delivery_is_not_tried_again(town: Town):
    async def reject(agent: Resident, message: Note, ctx: MessageContext) -> None:
        raise Reject("never")

    await run_one(town, reject)

    (letter,) = town.records("dead.clerk")
    assert (fact(letter, "reason"), fact(letter, "attempts")) == ("Reject", "1")


async def test_an_expired_event_does_not_run(town: Town):
    seen = list[Note]()
    runtime = town.runtime()
    await town.settle(runtime, "clerk", seeing(seen))
    await runtime.start()

    late = datetime.now(UTC) - timedelta(seconds=1)
    await runtime.publish_envelope(_event(expirytime=late), topic("clerk"))
    await runtime.stop_when_idle()

    assert (seen, town.reasons("clerk")) == ([], ["ExpiredError"])


async def test_a_loop_of_agents_ends_at_the_hop_limit(town: Town):
    hops = list[int]()

    def passing_on(to: str) -> Any:
        async def pass_on(agent: Resident, message: Note, ctx: MessageContext) -> None:
            hops.append(1)
            await agent.publish_message(message, topic(to))

        return pass_on

    runtime = town.runtime(hop_limit=6)
    await town.settle(runtime, "ping", passing_on("pong"))
    await town.settle(runtime, "pong", passing_on("ping"))
    await runtime.start()

    await runtime.publish_message(Note(), topic("ping"))
    await runtime.stop_when_idle()

    assert len(hops) == 7
    assert [*town.reasons("ping"), *town.reasons("pong")] == ["HopLimitError"]


async def test_a_request_beyond_the_hop_limit_is_answered_with_a_fault(town: Town):
    runtime = town.runtime()
    await town.settle(runtime, "clerk", nothing)
    await runtime.start()

    answer = await runtime.request_envelope(_event(aghops=65), AgentId("clerk", "k"), deadline_seconds=5)

    assert (answer.agmsgkind, b"HopLimitError" in (answer.data or b"")) == ("fault", True)


async def test_state_that_is_no_json_is_a_failure_and_nothing_of_the_turn_leaves(town: Town):
    async def spoil(agent: Resident, message: Note, ctx: MessageContext) -> None:
        agent.turns = object()  # pyright: ignore[reportAttributeAccessIssue]
        await agent.publish_message(Note(), topic("out"))

    town.create("topic.out")
    await run_one(town, spoil)

    assert town.reasons("clerk") == ["AttemptsExhaustedError"]
    assert town.records("topic.out") == []


async def test_a_constructor_that_raises_is_a_failure(town: Town):
    def factory() -> Resident:
        raise RuntimeError("no agent today")

    runtime = town.runtime()
    await Resident.register(runtime, "clerk", factory)
    await runtime.start()

    with pytest.raises(RequestError, match="no agent today"):
        await runtime.send_message(Note(), AgentId("clerk", "k"))
    await runtime.stop()

    assert town.reasons("clerk") == ["AttemptsExhaustedError"]


async def test_an_agent_that_fails_to_close_stops_nobody(town: Town):
    class Sour(Resident):
        async def close(self) -> None:
            raise RuntimeError("I will not go")

    seen = list[Note]()
    runtime = town.runtime(idle_agents=1)
    await Sour.register(runtime, "clerk", lambda: Sour(seeing(seen)))
    await runtime.start()

    for key in ("a", "b", "c"):
        await runtime.send_message(Note(text=key), AgentId("clerk", key))
    await runtime.stop()

    assert [note.text for note in seen] == ["a", "b", "c"]


async def test_a_task_that_outlives_its_turn_can_do_nothing_in_it(town: Town):
    late, outcome = asyncio.Event(), list[str]()
    tasks = list[asyncio.Task[None]]()

    async def linger(agent: Resident) -> None:
        await late.wait()
        for attempt in (
            lambda: agent.publish_message(Note(), topic("clerk")),
            lambda: agent.send_message(Note(), AgentId("clerk", "other")),
            lambda: step("late", asyncio.Event().wait),
        ):
            try:
                await attempt()
            except TurnClosedError:
                outcome.append("closed")

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        tasks.append(asyncio.ensure_future(linger(agent)))

    runtime = town.runtime()
    await town.settle(runtime, "clerk", handle)
    await runtime.start()
    await runtime.publish_message(Note(), topic("clerk"))
    await until(lambda: bool(tasks) and not town.store.unfinished, "the turn is over")

    late.set()
    await asyncio.gather(*tasks)

    assert outcome == ["closed"] * 3


async def test_identical_steps_side_by_side_are_each_recorded_once(town: Town):
    calls, attempts = list[str](), list[list[str]]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        async def pay() -> str:
            calls.append("paid")
            await asyncio.sleep(0)
            return f"receipt {len(calls)}"

        attempts.append(sorted(await asyncio.gather(*(step("pay", pay, given=1) for _ in range(5)))))
        if len(attempts) < 3:
            raise ValueError("once more")

    await run_one(town, handle)

    assert len(calls) == 5
    assert attempts[0] == attempts[1] == attempts[2]


async def test_calls_inside_a_step_have_keys_of_their_own_in_every_turn(town: Town):
    keys = list[str]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        scope = current_turn.get()
        assert scope is not None

        async def charge(key: str) -> str:
            keys.append(key)
            return key

        async def outer() -> None:
            for _ in range(2):
                await scope.step(_spec(), charge)

        await step("outer", outer)

    runtime = town.runtime()
    await town.settle(runtime, "clerk", handle)
    await runtime.start()

    for _ in range(3):
        await runtime.publish_message(Note(), topic("clerk"))
    await runtime.stop_when_idle()

    assert len(keys) == len(set(keys)) == 6


async def test_a_lost_turn_gets_past_a_handler_that_catches_everything(town: Town):
    caught = list[str]()
    runtime = town.runtime()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        if len(caught) == 0:
            caught.append("first")
            for lane in town.store.lanes.values():
                lane.token = next(town.store.tokens)  # as if another process had taken it
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(step("call", _nothing))
        except Exception:  # noqa: BLE001 - what handlers do
            caught.append("eaten")
        except BaseExceptionGroup as group:
            caught.append("lost" if group.subgroup(TurnLost) else "other")
            raise

    await town.settle(runtime, "clerk", handle)
    await runtime.start()
    await runtime.publish_message(Note(), topic("clerk"))
    await until(lambda: len(caught) == 2, "the turn was lost")

    assert caught == ["first", "lost"]
    assert town.reasons("clerk") == []
    life = runtime._life.host
    assert life is not None
    assert life.incarnation is not None
    assert not life.incarnation.over.done()


async def test_a_step_that_failed_is_not_called_again_by_the_next_attempt(town: Town):
    calls, errors = list[int](), list[str]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        async def break_down() -> None:
            calls.append(1)
            raise ValueError("broken")

        try:
            await step("tool", break_down)
        except Exception as exc:
            errors.append(str(exc))
            raise RuntimeError("and again") from exc

    await run_one(town, handle)

    assert len(calls) == 1
    assert errors == ["broken"] * 3


async def test_a_record_produced_twice_is_handled_once_on_any_partition(town: Town):
    seen = list[Note]()
    runtime = town.runtime()
    await town.settle(runtime, "clerk", seeing(seen))
    await runtime.start()

    for source in ("k", "k"):
        await runtime.publish_envelope(_event(id="same"), topic("clerk", source))
    (record, *_) = town.records("topic.clerk")
    await runtime.mesh.transport.send([_again(record, partition) for partition in range(4)])
    await runtime.stop_when_idle()

    assert len(seen) == 1


async def test_the_concurrency_of_an_agent_type_is_never_exceeded(town: Town):
    running, most = 0, 0

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1

    runtime = town.runtime(max_concurrent_agents=3)
    await town.settle(runtime, "clerk", handle)
    await runtime.start()

    for number in range(200):
        await runtime.publish_message(Note(number=number), topic("clerk", f"k{number % 50}"))
    await runtime.stop_when_idle()

    assert most == 3


async def _nothing() -> None:
    pass


def _spec() -> StepSpec[str]:
    return StepSpec(kind="tool", name="charge", input=b"10", encode=str.encode, decode=bytes.decode)


def _event(**given: Any) -> Envelope:
    expirytime = given.pop("expirytime", None)
    extensions = {name: given.pop(name) for name in ("aghops",) if name in given}
    if expirytime is not None:
        extensions["expirytime"] = expirytime.isoformat()
    return Envelope(
        id=given.pop("id", "e1"),
        source="/tests",
        type="town.Note.v1",
        subject="k",
        datacontenttype="application/json",
        data=Note(text="event").model_dump_json().encode(),
        extensions=extensions,
    )


def _again(record: Any, partition: int) -> Any:
    from agentopic.ports.transport import OutgoingRecord

    return OutgoingRecord(
        topic=record.topic, key=record.key, value=record.value, headers=record.headers, partition=partition
    )
