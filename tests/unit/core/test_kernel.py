"""The kernel: agents are made once, in order, and their handlers run in their context."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

import pytest

from agentopic.core import (
    EVENT_LOGGER_NAME,
    AgentId,
    AgentInstantiationContext,
    CancellationToken,
    DefaultTopicId,
    MessageContext,
    MessageHandlerContext,
    RoutedAgent,
    SingleThreadedAgentRuntime,
    TopicId,
    TypeSubscription,
    message_handler,
    try_get_known_serializers_for_type,
)
from agentopic.core._kernel import Kernel
from agentopic.errors import (
    ContextError,
    RegistrationError,
    RuntimeStateError,
    UnknownAgentError,
    UnregisteredInstanceError,
)


@dataclass
class Ask:
    text: str = ""


class Worker(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("works")
        self.asked: list[str] = []

    @message_handler
    async def on_ask(self, message: Ask, ctx: MessageContext) -> str:
        await asyncio.sleep(0)
        self.asked.append(message.text)
        if message.text == "fail":
            raise KeyError(message.text)
        return f"{MessageHandlerContext.agent_id()} {DefaultTopicId()}"


class Other(Worker):
    pass


def new_kernel() -> Kernel:
    return Kernel(SingleThreadedAgentRuntime())


def context() -> MessageContext:
    return MessageContext(None, None, True, CancellationToken(), "id")


KEY = AgentId("worker", "k")


async def test_an_agent_is_made_once_however_many_ask() -> None:
    kernel, made = new_kernel(), list[AgentId]()

    async def slow_factory() -> Worker:
        made.append(AgentInstantiationContext.current_agent_id())
        await asyncio.sleep(0)
        return Worker()

    kernel.register_factory("worker", slow_factory)

    agents = await asyncio.gather(*(kernel.get(KEY) for _ in range(5)))

    assert made == [KEY]
    assert len({id(agent) for agent in agents}) == 1
    assert dict(kernel.instances) == {KEY: agents[0]}


async def test_who_asks_for_a_new_agent_gets_it_in_turn() -> None:
    kernel, order = new_kernel(), list[int]()
    released = asyncio.Event()

    async def slow_factory() -> Worker:
        await released.wait()
        return Worker()

    async def ask(number: int) -> None:
        await kernel.get(KEY)
        order.append(number)

    kernel.register_factory("worker", slow_factory)
    tasks = [asyncio.create_task(ask(number)) for number in range(3)]
    await asyncio.sleep(0)
    released.set()
    tasks += [asyncio.create_task(ask(number)) for number in range(3, 6)]
    await asyncio.gather(*tasks)

    assert order == [0, 1, 2, 3, 4, 5]


async def test_a_factory_that_fails_is_asked_anew(caplog: pytest.LogCaptureFixture) -> None:
    kernel, attempts = new_kernel(), list[int]()

    def flaky() -> Worker:
        attempts.append(1)
        if len(attempts) == 1:
            raise OSError("not yet")
        return Worker()

    kernel.register_factory("worker", flaky)

    with caplog.at_level(logging.INFO, EVENT_LOGGER_NAME), pytest.raises(OSError, match="not yet"):
        await kernel.get(KEY)

    assert isinstance(await kernel.get(KEY), Worker)
    assert '"type": "AgentConstructionException"' in caplog.text


async def test_giving_up_waiting_does_not_take_the_agent_from_others() -> None:
    kernel = new_kernel()
    released = asyncio.Event()

    async def slow_factory() -> Worker:
        await released.wait()
        return Worker()

    kernel.register_factory("worker", slow_factory)
    first, second = (asyncio.create_task(kernel.get(KEY)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait((first,))
    released.set()

    assert isinstance(await second, Worker)


async def test_instantiate_makes_a_fresh_agent_and_keeps_none() -> None:
    kernel = new_kernel()
    kernel.register_factory("worker", Worker)

    first, second = await kernel.instantiate(KEY), await kernel.instantiate(KEY)

    assert first is not second
    assert (first.id, first.metadata) == (KEY, {"type": "worker", "key": "k", "description": "works"})
    assert not kernel.instances


async def test_put_and_discard_change_what_get_returns() -> None:
    kernel = new_kernel()
    kernel.register_factory("worker", Worker)
    mine = await kernel.instantiate(KEY)

    kernel.put(KEY, mine)
    kept = await kernel.get(KEY)
    kernel.discard(KEY)
    kernel.discard(KEY)

    assert kept is mine
    assert await kernel.get(KEY) is not mine


async def test_handlers_run_in_their_agents_context_to_the_end() -> None:
    kernel = new_kernel()
    kernel.register_factory("worker", Worker)
    agent = await kernel.get(KEY)

    answer = await kernel.invoke(agent, Ask(), context())

    assert answer == "worker/k default/k"
    with pytest.raises(ContextError):
        MessageHandlerContext.agent_id()


async def test_what_a_handler_raises_is_raised_by_invoke() -> None:
    kernel = new_kernel()
    kernel.register_factory("worker", Worker)

    with pytest.raises(KeyError, match="fail"):
        await kernel.invoke(await kernel.get(KEY), Ask("fail"), context())


async def test_unknown_agents_are_not_made() -> None:
    kernel = new_kernel()
    await kernel.register_agent_instance(Worker(), AgentId("instance", "k"))

    with pytest.raises(UnknownAgentError, match="nobody"):
        await kernel.get(AgentId("nobody", "k"))
    with pytest.raises(UnregisteredInstanceError, match="instance/other"):
        await kernel.get(AgentId("instance", "other"))

    assert kernel.known_types == {"instance"}
    assert kernel.is_instance_type("instance")
    assert not kernel.is_instance_type("nobody")


async def test_a_type_is_registered_one_way_only() -> None:
    kernel = new_kernel()
    kernel.register_factory("made", Worker)
    await kernel.register_agent_instance(Worker(), AgentId("given", "k"))

    with pytest.raises(RegistrationError, match="already exists"):
        kernel.register_factory("given", Worker)
    with pytest.raises(RegistrationError, match="already exists"):
        kernel.register_factory("made", Worker)
    with pytest.raises(RegistrationError, match="same type"):
        await kernel.register_agent_instance(Worker(), AgentId("made", "k"))
    with pytest.raises(RegistrationError, match="already exists"):
        await kernel.register_agent_instance(Worker(), AgentId("given", "k"))
    with pytest.raises(RegistrationError, match="same object type"):
        await kernel.register_agent_instance(Other(), AgentId("given", "l"))


async def test_an_agent_is_bound_once() -> None:
    kernel, agent = new_kernel(), Worker()
    await kernel.register_agent_instance(agent, KEY)

    with pytest.raises(RuntimeStateError, match="different ID"):
        await new_kernel().register_agent_instance(agent, AgentId("worker", "l"))
    with pytest.raises(RuntimeStateError, match="different runtime"):
        await new_kernel().register_agent_instance(agent, KEY)


async def test_a_factory_of_another_class_is_found_out() -> None:
    kernel = new_kernel()
    kernel.register_factory("worker", Worker, expected_class=Other)

    with pytest.raises(RegistrationError, match="made a Worker, not a Other"):
        await kernel.get(KEY)


async def test_a_factory_with_the_old_two_arguments_works_with_a_warning() -> None:
    kernel, given = new_kernel(), list[Any]()

    def factory(runtime: Any, agent_id: AgentId) -> Worker:
        given.append(agent_id)
        return Worker()

    with pytest.warns(UserWarning, match="AgentInstantiationContext"):
        kernel.register_factory("worker", factory)
    await kernel.get(KEY)

    assert given == [KEY]


async def test_a_factory_that_needs_arguments_is_refused() -> None:
    def factory(model: str) -> Worker:
        return Worker()

    with pytest.raises(RegistrationError, match="takes no arguments"):
        new_kernel().register_factory("worker", factory)


async def test_optional_arguments_of_a_factory_are_left_alone() -> None:
    kernel = new_kernel()

    kernel.register_factory("worker", lambda name="x": Worker())

    assert isinstance(await kernel.get(KEY), Worker)


def test_subscriptions_and_serializers_are_the_kernels() -> None:
    kernel = new_kernel()

    kernel.add_subscription(TypeSubscription("t", "worker", id="1"))
    kernel.add_message_serializer(try_get_known_serializers_for_type(Ask))

    assert kernel.recipients(TopicId("t", "k")) == (KEY,)
    assert [subscription.id for subscription in kernel.subscriptions] == ["1"]
    assert kernel.serializers.encode(Ask("x"))[0] == "Ask"
    kernel.remove_subscription("1")
    assert not kernel.recipients(TopicId("t", "k"))
