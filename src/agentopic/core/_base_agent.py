"""`BaseAgent`: what agents inherit: id, runtime, sending, registration."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, ClassVar, Self, final

from agentopic.core._agent import Agent
from agentopic.core._agent_id import AgentId
from agentopic.core._agent_metadata import AgentMetadata
from agentopic.core._agent_runtime import AgentRuntime
from agentopic.core._agent_type import AgentType
from agentopic.core._cancellation_token import CancellationToken
from agentopic.core._instantiation_context import AgentInstantiationContext
from agentopic.core._message_context import MessageContext
from agentopic.core._registration import subscribe_class, subscribe_direct_messages
from agentopic.core._serialization import MessageSerializer
from agentopic.core._subscription import UnboundSubscription
from agentopic.core._topic import TopicId
from agentopic.core._type_subscription import TypeSubscription
from agentopic.errors import ContextError, RegistrationError, RuntimeStateError, StateVersionError


class BaseAgent(ABC, Agent):
    """Base of all agents; subclasses implement `on_message_impl` (or use `RoutedAgent`).

    Made by a runtime's factory, an agent has its id and runtime at once; made directly, it gets them when
    it is registered with `register_instance`.

    Raises:
        RegistrationError: the description is not a text.
    """

    internal_unbound_subscriptions_list: ClassVar[list[UnboundSubscription]] = []
    """What class decorators subscribed this very class to."""
    internal_extra_handles_types: ClassVar[list[tuple[type[Any], list[MessageSerializer[Any]]]]] = []
    """Payload classes that this very class handles beyond those of its handlers' signatures."""
    state_version: ClassVar[int] = 1
    """Version of what `save_state` returns; raise it when its form changes, and override `upcast_state`."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.internal_unbound_subscriptions_list = []
        cls.internal_extra_handles_types = []

    def __init__(self, description: str) -> None:
        self._id: AgentId | None = None
        self._runtime: AgentRuntime | None = None
        if AgentInstantiationContext.is_in_factory_call():
            self._runtime = AgentInstantiationContext.current_runtime()
            self._id = AgentInstantiationContext.current_agent_id()
        if not isinstance(description, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise RegistrationError("Agent description must be a string")
        self._description = description

    @property
    def metadata(self) -> AgentMetadata:
        """Type, key and description."""
        return AgentMetadata(key=self.id.key, type=self.id.type, description=self._description)

    @property
    def type(self) -> str:
        """The agent type."""
        return self.id.type

    @property
    def id(self) -> AgentId:
        """The agent's address.

        Raises:
            ContextError: the agent is not registered yet.
        """
        if self._id is None:
            raise ContextError("this agent has no id yet: register it, or have a runtime's factory make it")
        return self._id

    @property
    def runtime(self) -> AgentRuntime:
        """The runtime the agent lives in.

        Raises:
            ContextError: the agent is not registered yet.
        """
        if self._runtime is None:
            raise ContextError("this agent has no runtime yet: register it, or have a runtime's factory make it")
        return self._runtime

    async def bind_id_and_runtime(self, id: AgentId, runtime: AgentRuntime) -> None:  # noqa: A002 - AutoGen's parameter
        """Give the agent its address and runtime.

        Raises:
            RuntimeStateError: it is bound to others already.
        """
        if self._id is not None and self._id != id:
            raise RuntimeStateError(f"Agent is already bound to a different ID ({self._id})")
        if self._runtime is not None and self._runtime is not runtime:
            raise RuntimeStateError("Agent is already bound to a different runtime")
        self._id = id
        self._runtime = runtime

    @final
    async def on_message(self, message: Any, ctx: MessageContext) -> Any:
        """Handle one message."""
        return await self.on_message_impl(message, ctx)

    @abstractmethod
    async def on_message_impl(self, message: Any, ctx: MessageContext) -> Any:
        """Handle one message; what is returned goes to the sender of a direct message."""

    async def send_message(
        self,
        message: Any,
        recipient: AgentId,
        *,
        cancellation_token: CancellationToken | None = None,
        message_id: str | None = None,
    ) -> Any:
        """Send to one agent and return its answer, as `AgentRuntime.send_message` does."""
        return await self.runtime.send_message(
            message, recipient, sender=self.id, cancellation_token=cancellation_token, message_id=message_id
        )

    async def publish_message(
        self,
        message: Any,
        topic_id: TopicId,
        *,
        cancellation_token: CancellationToken | None = None,
        now: bool = False,
    ) -> None:
        """Publish to all subscribers of a topic but this agent; a durable turn does so at its commit, or `now`."""
        at_once: dict[str, Any] = {"now": True} if now else {}  # AutoGen's runtimes do not know it
        await self.runtime.publish_message(
            message, topic_id, sender=self.id, cancellation_token=cancellation_token, **at_once
        )

    async def save_state(self) -> Mapping[str, Any]:
        """Warn that this class has no state to save; override it together with `load_state`."""
        warnings.warn("save_state not implemented", stacklevel=2)
        return {}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Warn that this class cannot load state; override it together with `save_state`."""
        warnings.warn("load_state not implemented", stacklevel=2)

    @classmethod
    def upcast_state(cls, version: int, state: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a state of one version as the next version has it; a durable runtime asks before `load_state`.

        Called once for each version from the stored one to the last before `state_version`.

        Raises:
            StateVersionError: not overridden: states of this version cannot be read.
        """
        raise StateVersionError(f"{cls.__name__} has no upcast_state that reads a state of version {version}")

    async def on_fault(self, error: BaseException) -> None:
        """Learn that a delivery to this agent is given up with this error; does nothing unless overridden.

        Runs once, on an instance that has not seen the failed attempts. What is published here, and the state reached,
        is committed together with the dead letter; an error raised here is logged and changes nothing about it.
        """

    async def on_failed_message(self, message: Any | None, error: BaseException) -> None:
        """Learn like `on_fault`, which this calls unless overridden, and also which message was given up.

        `message` is None where it cannot be read.
        """
        await self.on_fault(error)

    async def close(self) -> None:
        """Release nothing; override it when the agent holds something."""

    @classmethod
    async def register(
        cls,
        runtime: AgentRuntime,
        type: str,  # noqa: A002 - AutoGen's parameter name
        factory: Callable[[], Self | Awaitable[Self]],
        *,
        skip_class_subscriptions: bool = False,
        skip_direct_message_subscription: bool = False,
    ) -> AgentType:
        """Register this class as an agent type, with its subscriptions and payload classes.

        Unless skipped, the type also listens to topic types that begin with `<type>:`.

        Raises:
            RegistrationError: the type is registered already, or a payload class has no serializer.
        """
        agent_type = await runtime.register_factory(type, factory, expected_class=cls)
        if not skip_class_subscriptions:
            await subscribe_class(runtime, agent_type, cls._unbound_subscriptions())
        if not skip_direct_message_subscription:
            await subscribe_direct_messages(runtime, agent_type.type)
        cls.declare_payloads(runtime.add_message_serializer)
        return agent_type

    async def register_instance(
        self,
        runtime: AgentRuntime,
        agent_id: AgentId,
        *,
        skip_class_subscriptions: bool = True,
        skip_direct_message_subscription: bool = False,
    ) -> AgentId:
        """Register this object under an id; it listens to the topic type that is named like its key.

        Raises:
            RegistrationError: the id is taken, or the type is registered by a factory or for another class.
        """
        agent_id = await runtime.register_agent_instance(self, agent_id)
        await runtime.add_subscription(TypeSubscription(topic_type=agent_id.key, agent_type=agent_id.type))
        if not skip_class_subscriptions:
            await subscribe_class(runtime, AgentType(agent_id.type), self._unbound_subscriptions())
        if not skip_direct_message_subscription:
            await subscribe_direct_messages(runtime, agent_id.type)
        self.declare_payloads(runtime.add_message_serializer)
        return agent_id

    @classmethod
    def declare_payloads(cls, add: Callable[[Sequence[MessageSerializer[Any]]], None]) -> None:
        """Make the payload classes this class handles known, by handing their serializers to `add`.

        Raises:
            RegistrationError: a payload class has no serializer.
        """
        for _, serializers in cls._handles_types():
            add(serializers)

    @classmethod
    def _unbound_subscriptions(cls) -> Sequence[UnboundSubscription]:
        """What class decorators subscribed this very class to."""
        return tuple(cls.internal_unbound_subscriptions_list)

    @classmethod
    def _handles_types(cls) -> Sequence[tuple[type[Any], list[MessageSerializer[Any]]]]:
        """The payload classes this class handles, with their serializers.

        Raises:
            RegistrationError: a payload class has no serializer.
        """
        return tuple(cls.internal_extra_handles_types)
