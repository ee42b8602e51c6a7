"""The runtime in one process, beyond what it shares with AutoGen."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import pytest

from agentopic.core import (
    ROOT_LOGGER_NAME,
    AgentId,
    CancellationToken,
    DefaultInterventionHandler,
    DropMessage,
    MessageContext,
    RoutedAgent,
    SingleThreadedAgentRuntime,
    Subscription,
    TopicId,
    TypeSubscription,
    event,
    message_handler,
)
from agentopic.errors import (
    MessageDroppedError,
    RuntimeStateError,
    UndeliverableError,
    UnknownAgentError,
)


@dataclass
class Ask:
    text: str = ""


class Worker(RoutedAgent):
    """Answers at once, unless told to wait for `released` or to fail."""

    def __init__(self, log: list[str]) -> None:
        super().__init__("works")
        self.log = log
        self.released = asyncio.Event()
        self.started = asyncio.Event()

    @message_handler
    async def on_ask(self, message: Ask, ctx: MessageContext) -> str:
        self.log.append(message.text)
        self.started.set()
        if message.text == "wait":
            await self.released.wait()
        if message.text == "fail":
            raise ValueError("told to fail")
        if message.text == "ask the other":
            return f"{await self.send_message(Ask(), AgentId('worker', 'other'))}!"
        return "done"


TARGET = AgentId("worker", "k")
NEWS = TopicId("news", "k")


class World:
    """A runtime with one agent type that listens to `news`."""

    def __init__(self, **options: Any) -> None:
        self.runtime = SingleThreadedAgentRuntime(**options)
        self.log: list[str] = []

    async def register(self) -> World:
        await Worker.register(self.runtime, "worker", lambda: Worker(self.log))
        await self.runtime.add_subscription(TypeSubscription("news", "worker"))
        return self

    async def worker(self) -> Worker:
        return await self.runtime.try_get_underlying_agent_instance(TARGET, Worker)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = await World().register()
    made.runtime.start()
    yield made
    await made.runtime.close()


async def test_agents_ask_each_other(world: World) -> None:
    assert await world.runtime.send_message(Ask("ask the other"), TARGET) == "done!"


async def test_handlers_of_one_agent_overlap(world: World) -> None:
    waiting = asyncio.create_task(world.runtime.send_message(Ask("wait"), TARGET))
    worker = await world.worker()
    await worker.started.wait()

    quick = await world.runtime.send_message(Ask("quick"), TARGET)
    worker.released.set()

    assert (quick, await waiting, world.log) == ("done", "done", ["wait", "quick"])


async def test_idle_means_that_no_handler_runs() -> None:
    world = await World().register()
    world.runtime.start()
    worker = await world.worker()
    await world.runtime.publish_message(Ask("wait"), NEWS)

    stopping = asyncio.create_task(world.runtime.stop_when_idle())
    await worker.started.wait()
    await asyncio.sleep(0)
    early = stopping.done()
    worker.released.set()
    await stopping

    assert not early


async def test_idle_at_once_without_messages_and_with_unheard_ones() -> None:
    world = await World().register()
    world.runtime.start()

    await world.runtime.publish_message(Ask(), TopicId("nobody-listens", "k"))
    await asyncio.wait_for(world.runtime.stop_when_idle(), 5)

    assert world.log == []


async def test_a_failing_subscriber_does_not_keep_the_message_from_others(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    class Listener(RoutedAgent):
        @event
        async def on_ask(self, message: Ask, ctx: MessageContext) -> None:
            world.log.append(f"heard {message.text}")

    await Listener.register(world.runtime, "listener", lambda: Listener("listens"))
    await world.runtime.add_subscription(TypeSubscription("news", "listener"))

    with caplog.at_level(logging.ERROR, ROOT_LOGGER_NAME):
        await world.runtime.publish_message(Ask("fail"), NEWS)
        await world.runtime.stop_when_idle()

    assert world.log == ["fail", "heard fail"]
    assert "Error processing publish message for worker/k" in caplog.text


async def test_the_first_unhandled_exception_is_the_one_raised() -> None:
    world = await World(ignore_unhandled_exceptions=False).register()
    world.runtime.start()
    worker = await world.worker()
    await world.runtime.publish_message(Ask("wait"), NEWS)
    await world.runtime.publish_message(Ask("fail"), NEWS)
    await worker.started.wait()

    with pytest.raises(ValueError, match="told to fail"):
        await world.runtime.stop_when_idle()

    worker.released.set()


async def test_a_runtime_ended_by_an_exception_takes_no_more_messages() -> None:
    world = await World(ignore_unhandled_exceptions=False).register()
    world.runtime.start()
    await world.runtime.publish_message(Ask("fail"), NEWS)

    with pytest.raises(ValueError, match="told to fail"):
        await world.runtime.stop_when(lambda: False)
    world.runtime.start()

    assert await world.runtime.send_message(Ask(), TARGET) == "done"
    await world.runtime.stop()


async def test_an_exception_while_stepping_is_raised_by_the_next_step() -> None:
    world = await World(ignore_unhandled_exceptions=False).register()
    await world.runtime.publish_message(Ask("fail"), NEWS)
    await world.runtime.publish_message(Ask("next"), NEWS)
    await world.runtime.process_next()
    await asyncio.sleep(0)

    with pytest.raises(ValueError, match="told to fail"):
        await world.runtime.process_next()
    await world.runtime.process_next()

    assert world.log == ["fail", "next"]


async def test_messages_queued_at_stop_are_told_to_their_senders() -> None:
    world = await World().register()
    sending = asyncio.create_task(world.runtime.send_message(Ask(), TARGET))
    await asyncio.sleep(0)
    await world.runtime.publish_message(Ask(), NEWS)

    world.runtime.start()
    await world.runtime.stop()

    with pytest.raises(UndeliverableError, match="stopped"):
        await sending
    assert (world.log, world.runtime.unprocessed_messages_count) == ([], 0)


async def test_a_handler_that_runs_at_stop_still_answers() -> None:
    world = await World().register()
    world.runtime.start()
    sending = asyncio.create_task(world.runtime.send_message(Ask("wait"), TARGET))
    worker = await world.worker()
    await worker.started.wait()

    await world.runtime.stop()
    worker.released.set()

    assert await sending == "done"


async def test_a_runtime_can_be_started_again() -> None:
    world = await World().register()
    for _ in range(3):
        world.runtime.start()
        await world.runtime.send_message(Ask("again"), TARGET)
        await world.runtime.stop_when_idle()

    assert world.log == ["again"] * 3


async def test_starting_twice_and_stopping_unstarted_are_refused() -> None:
    runtime = SingleThreadedAgentRuntime()

    for stop in (runtime.stop, runtime.stop_when_idle, lambda: runtime.stop_when(lambda: True)):
        with pytest.raises(RuntimeStateError, match="not started"):
            await stop()
    runtime.start()
    with pytest.raises(RuntimeStateError, match="already started"):
        runtime.start()
    await runtime.close()


async def test_close_closes_all_agents_even_when_one_fails() -> None:
    closed: list[str] = []

    class Closing(Worker):
        async def close(self) -> None:
            closed.append(self.id.key)
            if self.id.key == "a":
                raise OSError("cannot close")

    runtime = SingleThreadedAgentRuntime()
    await Closing.register(runtime, "closing", lambda: Closing([]))
    for key in "ab":
        await runtime.get("closing", key, lazy=False)

    with pytest.raises(OSError, match="cannot close"):
        await runtime.close()

    assert closed == ["a", "b"]


async def test_sending_to_an_unknown_type_is_an_error_at_the_call(world: World) -> None:
    with pytest.raises(UnknownAgentError, match="Recipient not found"):
        await world.runtime.send_message(Ask(), AgentId("nobody", "k"))


async def test_an_error_after_the_caller_gave_up_is_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    token = CancellationToken()
    token.cancel()

    with caplog.at_level(logging.WARNING, ROOT_LOGGER_NAME):
        with pytest.raises(asyncio.CancelledError):
            await world.runtime.send_message(Ask("fail"), TARGET, cancellation_token=token)
        await world.runtime.stop_when_idle()

    assert "worker/k failed after its caller gave up" in caplog.text


async def test_one_token_serves_many_requests_without_growing(world: World) -> None:
    token = CancellationToken()

    for _ in range(10):
        await world.runtime.send_message(Ask(), TARGET, cancellation_token=token)
    await world.runtime.stop_when_idle()

    assert not token._futures


async def test_a_cancelled_caller_leaves_the_handler_running(world: World) -> None:
    sending = asyncio.create_task(world.runtime.send_message(Ask("wait"), TARGET))
    worker = await world.worker()
    await worker.started.wait()

    sending.cancel()
    worker.released.set()
    await world.runtime.stop_when_idle()

    assert sending.cancelled()
    assert world.log == ["wait"]


async def test_handlers_run_in_the_context_that_started_the_runtime() -> None:
    variable: ContextVar[str] = ContextVar("variable", default="unset")
    seen: list[str] = []

    class Reader(RoutedAgent):
        @message_handler
        async def on_ask(self, message: Ask, ctx: MessageContext) -> None:
            seen.append(variable.get())
            variable.set("changed by a handler")

    runtime = SingleThreadedAgentRuntime()
    await Reader.register(runtime, "reader", lambda: Reader("reads"))
    variable.set("at start")
    runtime.start()
    variable.set("at the call")
    for _ in range(2):
        await runtime.send_message(Ask(), AgentId("reader", "k"))
    await runtime.stop()

    assert seen == ["at start", "at start"]


class Broken(Subscription):  # noqa: PLW1641 - never hashed
    @property
    def id(self) -> str:
        return "broken"

    def __eq__(self, other: object) -> bool:
        return other is self

    def is_match(self, topic_id: TopicId) -> bool:
        raise OSError("cannot tell")

    def map_to_agent(self, topic_id: TopicId) -> AgentId:
        raise AssertionError


async def test_a_subscription_that_raises_stops_neither_the_runtime_nor_its_idling(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await world.runtime.add_subscription(Broken())

    await world.runtime.publish_message(Ask("lost"), NEWS)
    with caplog.at_level(logging.ERROR, ROOT_LOGGER_NAME):
        await asyncio.wait_for(world.runtime.stop_when_idle(), 5)

    assert "cannot tell" in caplog.text


class Screening(DefaultInterventionHandler):
    """Drops what says `drop`, fails on what says `raise`, lets a slow one wait."""

    def __init__(self) -> None:
        self.released = asyncio.Event()

    async def on_send(self, message: Any, *, message_context: MessageContext, recipient: AgentId) -> Any:
        if message.text == "slow":
            await self.released.wait()
        return DropMessage if message.text == "drop" else message

    async def on_publish(self, message: Any, *, message_context: MessageContext) -> Any:
        if message.text == "raise":
            raise OSError("screen is broken")
        return DropMessage() if message.text == "drop" else message

    async def on_response(self, message: Any, *, sender: AgentId, recipient: AgentId | None) -> Any:
        return f"screened {message}"


@pytest.fixture
async def screened() -> AsyncIterator[tuple[World, Screening]]:
    screening = Screening()
    made = await World(intervention_handlers=[screening]).register()
    made.runtime.start()
    yield made, screening
    await made.runtime.close()


async def test_dropped_messages_reach_nobody_and_senders_are_told(screened: tuple[World, Screening]) -> None:
    world, _ = screened

    with pytest.raises(MessageDroppedError, match="worker/k"):
        await world.runtime.send_message(Ask("drop"), TARGET)
    await world.runtime.publish_message(Ask("drop"), NEWS)
    answer = await world.runtime.send_message(Ask("kept"), TARGET)

    assert (answer, world.log) == ("screened done", ["kept"])


async def test_the_runtime_becomes_idle_after_dropped_and_refused_messages(
    screened: tuple[World, Screening], caplog: pytest.LogCaptureFixture
) -> None:
    world, _ = screened

    for text in ("drop", "raise", "kept"):
        await world.runtime.publish_message(Ask(text), NEWS)
    with caplog.at_level(logging.ERROR, ROOT_LOGGER_NAME):
        await asyncio.wait_for(world.runtime.stop_when_idle(), 5)

    assert world.log == ["kept"]
    assert "screen is broken" in caplog.text


async def test_messages_are_screened_one_at_a_time_in_order(screened: tuple[World, Screening]) -> None:
    world, screening = screened
    slow = asyncio.create_task(world.runtime.send_message(Ask("slow"), TARGET))
    await asyncio.sleep(0)
    quick = asyncio.create_task(world.runtime.send_message(Ask("quick"), TARGET))
    await asyncio.sleep(0)

    screening.released.set()
    await asyncio.gather(slow, quick)

    assert world.log == ["slow", "quick"]


async def test_a_screening_that_returns_none_is_warned_about() -> None:
    class Forgetful(DefaultInterventionHandler):
        async def on_response(self, message: Any, *, sender: AgentId, recipient: AgentId | None) -> Any:
            return None

    world = await World(intervention_handlers=[Forgetful()]).register()
    world.runtime.start()

    with pytest.warns(RuntimeWarning, match=r"Forgetful\.on_response returned None"):
        answer = await world.runtime.send_message(Ask(), TARGET)
    await world.runtime.close()

    assert answer is None


async def test_stepping_by_hand_screens_too() -> None:
    world = await World(intervention_handlers=[Screening()]).register()
    sending = asyncio.create_task(world.runtime.send_message(Ask(), TARGET))
    await asyncio.sleep(0)

    while not sending.done():
        await world.runtime.process_next()

    assert await sending == "screened done"


async def test_two_steppers_share_the_messages() -> None:
    world = await World().register()
    steppers = [asyncio.create_task(world.runtime.process_next()) for _ in range(2)]
    await asyncio.sleep(0)

    await world.runtime.publish_message(Ask("1"), NEWS)
    await world.runtime.publish_message(Ask("2"), NEWS)
    await asyncio.wait_for(asyncio.gather(*steppers), 5)

    assert sorted(world.log) == ["1", "2"]
