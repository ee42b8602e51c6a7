"""Control and middleware reach process-lived agents as they reach services."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agentopic.core import AgentId, BaseAgent, ClosureAgent, ClosureContext, MessageContext, TypeSubscription
from agentopic.core import try_get_known_serializers_for_type as serializers_of
from agentopic.engine.delivery import Delivery
from agentopic.engine.middleware import CallNext
from agentopic.engine.runtime import EngineRuntime
from agentopic.envelope import Envelope
from agentopic.errors import RequestCancelledError

from .neighbours import Closure, client, hearing, lives, mesh_name
from .town import Note, Resident, Town, seeing, topic, until

FRIEND = AgentId("friend", "k")


class Waiting:
    """A closure that waits until it is cut off, or let go."""

    def __init__(self) -> None:
        self.begun, self.ended = list[str](), list[str]()
        self.gate = asyncio.Event()

    async def __call__(self, _: ClosureContext, message: Note, ctx: MessageContext) -> Note:
        self.begun.append(message.text)
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.ended.append("cut off" if ctx.cancellation_token.is_cancelled() else "untold")
            raise
        return message


def closure_of(waiting: Waiting) -> Closure:
    async def handle(context: ClosureContext, message: Note, ctx: MessageContext) -> Note:
        return await waiting(context, message, ctx)

    return handle


async def started(town: Town, closure: Closure, *topics: str) -> EngineRuntime:
    runtime = client(town)
    await lives(runtime, "friend", closure, *topics)
    await runtime.start()
    return runtime


# ── runs ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_cancelled_run_ends_the_handlers_of_all_processes(town: Town):
    first, second = Waiting(), Waiting()
    for waiting in (first, second):
        await started(town, closure_of(waiting), "news")
    outside = client(town)
    await outside.publish_message(Note(text="long"), topic("news"), message_id="run-1")
    await until(lambda: first.begun == second.begun == ["long"], "both have begun")

    await outside.control.cancel_run("run-1")

    await until(lambda: first.ended == second.ended == ["cut off"], "both are cut off")


async def test_nothing_of_a_cancelled_run_is_begun(town: Town):
    heard = list[str]()
    owner = await started(town, hearing(heard), "news")
    await owner.control.cancel_run("run-1")

    await owner.publish_message(Note(text="too late"), topic("news"), message_id="run-1")
    await owner.publish_message(Note(text="another"), topic("news"), message_id="run-2")
    await until(lambda: bool(heard), "the other run is heard")

    assert heard == ["another"]


async def test_whoever_asked_in_a_cancelled_run_is_told(town: Town):
    waiting = Waiting()
    owner = await started(town, closure_of(waiting))
    friend, outside = await mesh_name(town, owner, FRIEND), client(town)
    await outside.start()
    asking = asyncio.ensure_future(outside.send_message(Note(text="ask"), friend, message_id="run-1"))
    await until(lambda: waiting.begun == ["ask"], "it is being handled")

    await outside.control.cancel_run("run-1")

    with pytest.raises(RequestCancelledError):
        await asking


async def test_other_runs_go_on(town: Town):
    waiting = Waiting()
    owner = await started(town, closure_of(waiting))
    asking = asyncio.ensure_future(owner.send_message(Note(text="ask"), FRIEND))
    await until(lambda: waiting.begun == ["ask"], "it is being handled")
    await owner.control.cancel_run("run-1")
    await until(lambda: "run-1" in owner._residence._handling.curbs._cancelled, "heard")  # pyright: ignore[reportPrivateUsage]

    waiting.gate.set()

    assert (await asking).text == "ask"


# ── pausing ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_paused_agent_begins_nothing_and_goes_on_in_order(town: Town):
    heard, other = list[str](), list[str]()
    owner = await started(town, hearing(heard), "news")
    await lives(owner, "other", hearing(other), "news")
    await owner.control.pause(FRIEND)
    await until(lambda: paused(owner), "the command is heard")

    for text in "abc":
        await owner.publish_message(Note(text=text), topic("news"))
    await until(lambda: other == ["a", "b", "c"], "the other one has heard all")
    before = list(heard)
    await owner.control.resume(FRIEND)
    await until(lambda: len(heard) == 3, "it goes on")

    assert (before, heard) == ([], ["a", "b", "c"])


async def test_an_agent_is_paused_from_elsewhere_by_its_name_on_the_mesh(town: Town):
    waiting = Waiting()
    waiting.gate.set()
    owner = await started(town, closure_of(waiting))
    friend, outside = await mesh_name(town, owner, FRIEND), client(town)
    await outside.start()
    await outside.control.pause(friend)
    await until(lambda: paused(owner), "the command is heard")

    asking = asyncio.ensure_future(outside.send_message(Note(text="ask"), friend))
    inside = asyncio.ensure_future(owner.send_message(Note(text="inside"), FRIEND))
    await until(lambda: owner_runs(owner) == 2, "both are waiting")
    before = list(waiting.begun)
    await outside.control.resume(friend)

    assert (before, (await asking).text, (await inside).text) == ([], "ask", "inside")


async def test_a_request_to_a_paused_agent_can_be_cancelled(town: Town):
    waiting = Waiting()
    owner = await started(town, closure_of(waiting))
    friend, outside = await mesh_name(town, owner, FRIEND), client(town)
    await outside.start()
    await outside.control.pause(friend)
    await until(lambda: paused(owner), "the command is heard")
    asking = asyncio.ensure_future(outside.send_message(Note(text="ask"), friend, message_id="ask-1"))
    await until(lambda: owner_runs(owner) == 1, "it is waiting")

    await outside.control.cancel_request(friend, request_of(town))

    with pytest.raises(RequestCancelledError):
        await asking
    assert waiting.begun == []


def paused(owner: EngineRuntime) -> bool:
    return FRIEND in owner._residence._handling.curbs._paused  # pyright: ignore[reportPrivateUsage]


def owner_runs(owner: EngineRuntime) -> int:
    return owner._residence._handling.running  # pyright: ignore[reportPrivateUsage]


def request_of(town: Town) -> Envelope:
    return next(each for each in town.events("replies") if each.agmsgkind == "request")


# ── middleware ─────────────────────────────────────────────────────────────────────────────────────────────


class Tracing:
    """Middleware that notes what passes through it."""

    def __init__(self) -> None:
        self.passed = list[tuple[str, str | None, bytes | None]]()

    async def __call__(self, delivery: Delivery, call_next: CallNext) -> Any:
        topic_type = None if delivery.topic is None else delivery.topic.type
        self.passed.append((str(delivery.agent), topic_type, delivery.envelope.data))
        return await call_next(delivery)


async def test_middleware_is_around_the_handlers_of_events_and_requests(town: Town):
    tracing, waiting = Tracing(), Waiting()
    waiting.gate.set()
    owner = client(town, middleware=[tracing])
    await lives(owner, "friend", closure_of(waiting), "news")
    await owner.start()
    outside = client(town)
    await outside.start()
    friend = await mesh_name(town, owner, FRIEND)

    await outside.publish_message(Note(text="event"), topic("news"))
    await until(lambda: len(tracing.passed) == 1, "the event has passed")
    asked = await outside.send_message(Note(text="request"), friend)
    inside = await owner.send_message(Note(text="inside"), FRIEND)

    assert [each[:2] for each in tracing.passed] == [("friend/k", "news"), ("friend/k", None), ("friend/k", None)]
    assert [Note.model_validate_json(each[2] or b"").text for each in tracing.passed] == waiting.begun
    assert (asked.text, inside.text) == ("request", "inside")


async def test_middleware_may_answer_instead_of_the_handler(town: Town):
    async def short(_: Delivery, __: CallNext) -> Any:
        return Note(text="from the middleware")

    waiting = Waiting()
    owner = client(town, middleware=[short])
    await lives(owner, "friend", closure_of(waiting))
    await owner.start()

    answer = await owner.send_message(Note(), FRIEND)

    assert (answer.text, waiting.begun) == ("from the middleware", [])


class Opaque:
    """A message that cannot be serialised."""


async def test_what_cannot_be_serialised_passes_middleware_without_data(town: Town):
    tracing, handled = Tracing(), list[object]()

    async def handle(_: ClosureContext, message: Opaque, __: MessageContext) -> None:
        handled.append(message)

    owner = client(town, middleware=[tracing])
    await owner.register_factory("friend", lambda: ClosureAgent("takes anything", handle, unknown_type_policy="ignore"))
    await owner.start()
    message = Opaque()

    await owner.send_message(message, FRIEND)

    assert (handled, tracing.passed) == ([message], [("friend/k", None, None)])


# ── plain factories ────────────────────────────────────────────────────────────────────────────────────────


async def test_a_closure_of_a_plain_factory_lives_with_its_process(town: Town):
    heard, runtimes = list[str](), [town.runtime(), town.runtime()]
    for runtime in runtimes:
        await runtime.register_factory("friend", lambda: ClosureAgent("hears", hearing(heard)))
        runtime.add_message_serializer(serializers_of(Note))
        await runtime.add_subscription(TypeSubscription("news", "friend"))
        await runtime.start()

    await runtimes[0].publish_message(Note(text="all"), topic("news"))
    await until(lambda: heard == ["all", "all"], "both hear")

    assert not any("friend" in name for name in town.log.topics())


async def test_a_plain_factory_that_makes_no_agent_yet_is_hosted_as_a_service(town: Town):
    seen, parts = list[Note](), dict[str, Any]()
    runtime = town.runtime()
    await runtime.register_factory("clerk", lambda: Resident(parts["handler"]))
    runtime.add_message_serializer(serializers_of(Note))
    await runtime.add_subscription(TypeSubscription("clerk", "clerk"))
    parts["handler"] = seeing(seen)
    await runtime.start()

    await runtime.publish_message(Note(text="one"), topic("clerk"))
    await runtime.stop_when_idle()

    assert [each.text for each in seen] == ["one"]


async def test_the_agent_made_to_find_its_class_is_closed(town: Town):
    closed = list[AgentId]()

    class Closing(BaseAgent):
        async def on_message_impl(self, message: Any, ctx: MessageContext) -> None: ...

        async def close(self) -> None:
            closed.append(self.id)

    await town.runtime().register_factory("clerk", lambda: Closing("closes"))

    assert closed == [AgentId("clerk", "default")]
