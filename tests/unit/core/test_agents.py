"""Agents: their base, closures, proxies, registration."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, cast

import pytest

from agentopic.core import (
    AgentId,
    AgentProxy,
    AgentType,
    BaseAgent,
    ClosureAgent,
    ClosureContext,
    DefaultSubscription,
    DefaultTopicId,
    MessageContext,
    RoutedAgent,
    SingleThreadedAgentRuntime,
    TopicId,
    TypeSubscription,
    default_subscription,
    message_handler,
    type_subscription,
)
from agentopic.errors import (
    AgentClassError,
    AgentopicError,
    CantHandleError,
    ContextError,
    RegistrationError,
    UnknownAgentError,
)


@dataclass
class Ask:
    text: str = ""


@dataclass
class Other:
    text: str = ""


class Echo(BaseAgent):
    async def on_message_impl(self, message: Any, ctx: MessageContext) -> Any:
        return message


@type_subscription("extra")
@default_subscription
class Heard(RoutedAgent):
    heard: list[str]

    def __init__(self) -> None:
        super().__init__("listens")
        self.heard = []

    @message_handler
    async def on_ask(self, message: Ask, ctx: MessageContext) -> None:
        self.heard.append(f"{self.type} {ctx.topic_id}")


class HeardToo(Heard):
    pass


def test_an_agent_that_is_not_registered_has_no_id_and_no_runtime() -> None:
    agent = Echo("echo")

    for ask in (lambda: agent.id, lambda: agent.runtime, lambda: agent.metadata, lambda: agent.type):
        with pytest.raises(ContextError, match="register it"):
            ask()


def test_a_description_must_be_text() -> None:
    with pytest.raises(RegistrationError, match="must be a string"):
        Echo(3)  # pyright: ignore[reportArgumentType]


async def test_state_that_is_not_implemented_is_warned_about() -> None:
    agent = Echo("echo")

    with pytest.warns(UserWarning, match="save_state not implemented"):
        assert await agent.save_state() == {}
    with pytest.warns(UserWarning, match="load_state not implemented"):
        await agent.load_state({})


async def test_class_subscriptions_are_those_of_the_very_class() -> None:
    runtime = SingleThreadedAgentRuntime()
    await Heard.register(runtime, "heard", Heard)
    await HeardToo.register(runtime, "heard-too", HeardToo)
    runtime.start()

    for topic in ("default", "extra", "heard:", "heard-too:"):
        await runtime.publish_message(Ask(), TopicId(topic, "k"))
    await runtime.stop_when_idle()

    agents = [
        await runtime.try_get_underlying_agent_instance(AgentId(name, "k"), Heard) for name in ("heard", "heard-too")
    ]
    assert [agent.heard for agent in agents] == [
        ["heard default/k", "heard extra/k", "heard heard:/k"],
        ["heard-too heard-too:/k"],
    ]


async def test_instances_listen_to_the_topic_named_like_their_key() -> None:
    runtime, agents = SingleThreadedAgentRuntime(), [Heard(), Heard()]
    for number, agent in enumerate(agents):
        await agent.register_instance(runtime, AgentId("heard", f"k{number}"))
    runtime.start()

    await runtime.publish_message(Ask(), TopicId("k0", "k0"))
    await runtime.publish_message(Ask(), TopicId("heard:x", "k1"))
    await runtime.stop_when_idle()

    assert [agent.heard for agent in agents] == [["heard k0/k0"], ["heard heard:x/k1"]]


async def test_a_handled_class_without_serializer_is_refused_at_registration() -> None:
    class Plain(RoutedAgent):
        @message_handler
        async def on_text(self, message: str, ctx: MessageContext) -> None: ...

    with pytest.raises(RegistrationError, match="No serializers found"):
        await Plain.register(SingleThreadedAgentRuntime(), "plain", lambda: Plain("plain"))


async def test_subscription_factories_may_be_async() -> None:
    runtime = SingleThreadedAgentRuntime()
    heard: list[str] = []

    async def closure(context: ClosureContext, message: Ask, ctx: MessageContext) -> None:
        heard.append(f"{context.id} {message.text}")
        if message.text == "first":
            await context.publish_message(Ask("second"), TopicId("extra", "other"))

    async def subscriptions() -> list[Any]:
        return [DefaultSubscription(), TypeSubscription("extra", "closure")]

    await ClosureAgent.register_closure(runtime, "closure", closure, subscriptions=subscriptions)
    runtime.start()
    await runtime.publish_message(Ask("first"), DefaultTopicId(source="k"))
    await runtime.stop_when_idle()

    assert heard == ["closure/k first", "closure/other second"]


@pytest.mark.parametrize("policy", ["warn", "error", "ignore"])
async def test_a_closure_treats_other_classes_by_its_policy(policy: Any) -> None:
    async def closure(context: ClosureContext, message: Ask, ctx: MessageContext) -> str:
        return f"called with {type(message).__name__}"

    runtime = SingleThreadedAgentRuntime()
    await ClosureAgent.register_closure(runtime, "closure", closure, unknown_type_policy=policy)
    runtime.start()
    target = AgentId("closure", "k")

    match policy:
        case "warn":
            with pytest.warns(UserWarning, match="unknown_type_policy"):
                assert await runtime.send_message(Other(), target) is None
        case "error":
            with pytest.raises(CantHandleError, match="Other"):
                await runtime.send_message(Other(), target)
        case _:
            assert await runtime.send_message(Other(), target) == "called with Other"
    assert await runtime.send_message(Ask(), target) == "called with Ask"
    assert await runtime.save_state() == {"closure/k": {}}
    await runtime.close()


async def test_a_closure_takes_three_arguments() -> None:
    async def closure(message: Ask) -> None: ...

    with pytest.raises(RegistrationError, match="three arguments"):
        await ClosureAgent.register_closure(SingleThreadedAgentRuntime(), "c", cast("Any", closure))


async def test_a_callable_object_can_be_a_closure() -> None:
    class Closure:
        async def __call__(self, context: ClosureContext, message: Ask, ctx: MessageContext) -> str:
            return message.text

    runtime = SingleThreadedAgentRuntime()
    await ClosureAgent.register_closure(runtime, "closure", Closure())
    runtime.start()

    assert await runtime.send_message(Ask("x"), AgentId("closure", "k")) == "x"
    await runtime.close()


async def test_a_proxy_speaks_for_its_agent() -> None:
    runtime = SingleThreadedAgentRuntime()
    await Heard.register(runtime, "heard", Heard)
    runtime.start()
    proxy = AgentProxy(AgentId("heard", "k"), runtime)

    answer = await proxy.send_message(Ask(), sender=AgentId("s", "k"))
    metadata = await proxy.metadata
    with warnings.catch_warnings(action="ignore"):
        saved = await proxy.save_state()
        await proxy.load_state(saved)
    await runtime.close()

    assert (answer, metadata["description"], saved, proxy.id) == (None, "listens", {}, AgentId("heard", "k"))


async def test_agents_are_asked_for_by_class() -> None:
    runtime = SingleThreadedAgentRuntime()
    await Heard.register(runtime, "heard", Heard)

    assert await runtime.get(AgentType("heard"), "k") == AgentId("heard", "k")
    assert isinstance(await runtime.try_get_underlying_agent_instance(AgentId("heard", "k")), Heard)
    with pytest.raises(AgentClassError, match="is a Heard, not a Echo"):
        await runtime.try_get_underlying_agent_instance(AgentId("heard", "k"), Echo)
    with pytest.raises(UnknownAgentError):
        await runtime.try_get_underlying_agent_instance(AgentId("nobody", "k"))


def test_errors_of_the_actor_layer_are_of_our_family_and_of_the_builtin_kind() -> None:
    kinds = {RegistrationError: ValueError, UnknownAgentError: LookupError, AgentClassError: TypeError}

    assert all(issubclass(ours, AgentopicError) and issubclass(ours, kind) for ours, kind in kinds.items())
