"""`Kernel`: what all runtimes share: who exists, who listens, how an agent is made and a handler run."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import Any, Final

from agentopic.core._agent import Agent
from agentopic.core._agent_factory import AgentFactory
from agentopic.core._agent_id import AgentId
from agentopic.core._agent_runtime import AgentRuntime
from agentopic.core._agent_type import AgentType
from agentopic.core._intervention import InterventionChain, InterventionHandler
from agentopic.core._logger_names import EVENT_LOGGER_NAME
from agentopic.core._message_context import MessageContext
from agentopic.core._message_handler_context import handling_agent
from agentopic.core._serialization import MessageSerializer
from agentopic.core._serialization_registry import SerializationRegistry
from agentopic.core._subscription import Subscription
from agentopic.core._subscription_table import SubscriptionTable
from agentopic.core._topic import TopicId
from agentopic.core.logging import AgentConstructionExceptionEvent
from agentopic.errors import RegistrationError, UnknownAgentError, UnregisteredInstanceError

_logger: Final = logging.getLogger(EVENT_LOGGER_NAME)


class Kernel:
    """Factories, subscriptions, serializers, instances and interventions of one runtime; no queue and no I/O.

    `runtime` is what agents are bound to and send through. Not thread-safe: use it from one event loop.
    """

    def __init__(
        self,
        runtime: AgentRuntime,
        *,
        intervention_handlers: Sequence[InterventionHandler] | None = None,
        namespace: str | None = None,
    ) -> None:
        self._runtime = runtime
        self._factories: dict[str, AgentFactory] = {}
        self._instance_classes: dict[str, type[Any]] = {}
        self._instances: dict[AgentId, Agent] = {}
        self._gates: dict[AgentId, _Gate] = {}
        self._table = SubscriptionTable()
        self.interventions = InterventionChain(intervention_handlers)
        """The intervention handlers, in order; falsy when there are none."""
        self.serializers = SerializationRegistry(namespace)
        """The payload classes known here."""

    # ── who exists ───────────────────────────────────────────────────────────────────────────────────────

    @property
    def known_types(self) -> AbstractSet[str]:
        """All registered agent types, by factory or by instance."""
        return self._factories.keys() | self._instance_classes.keys()

    def knows(self, agent_type: str) -> bool:
        """Whether the agent type is registered, by factory or by instance."""
        return agent_type in self._factories or agent_type in self._instance_classes

    def is_instance_type(self, agent_type: str) -> bool:
        """Whether the type is registered by instances alone."""
        return agent_type in self._instance_classes

    @property
    def instances(self) -> Mapping[AgentId, Agent]:
        """The agents made or registered so far (a live, read-only view)."""
        return MappingProxyType(self._instances)

    def register_factory(
        self,
        agent_type: str | AgentType,
        factory: Callable[..., Agent | Awaitable[Agent]],
        *,
        expected_class: type[Any] | None = None,
    ) -> AgentType:
        """Register how agents of a type are made.

        Raises:
            RegistrationError: the type is registered already, or the factory needs arguments.
            InvalidNameError: the type has characters that are not allowed.
        """
        name = AgentId(agent_type, "").type
        if self.knows(name):
            raise RegistrationError(f"Agent with type {name!r} already exists.")
        self._factories[name] = AgentFactory.of(factory, expected_class)
        return AgentType(name)

    async def register_agent_instance(self, agent: Agent, agent_id: AgentId) -> AgentId:
        """Register and bind an agent that exists already.

        Raises:
            RegistrationError: the id is taken, or the type is registered by a factory or for another class.
            RuntimeStateError: the agent is bound to another id or runtime.
        """
        if agent_id in self._instances:
            raise RegistrationError(f"Agent with id {agent_id} already exists.")
        if agent_id.type in self._factories:
            raise RegistrationError("Agent factories and agent instances cannot be registered to the same type.")
        if self._instance_classes.setdefault(agent_id.type, type(agent)) is not type(agent):
            raise RegistrationError("Agent instances must be the same object type.")
        await agent.bind_id_and_runtime(id=agent_id, runtime=self._runtime)
        self._instances[agent_id] = agent
        return agent_id

    # ── who listens ──────────────────────────────────────────────────────────────────────────────────────

    @property
    def subscriptions(self) -> Sequence[Subscription]:
        """All subscriptions, in the order they were added."""
        return self._table.subscriptions

    def add_subscription(self, subscription: Subscription) -> None:
        """Have an agent type listen.

        Raises:
            RegistrationError: an equal subscription exists already.
        """
        self._table.add(subscription)

    def remove_subscription(self, subscription_id: str) -> None:
        """End a subscription.

        Raises:
            RegistrationError: there is none of this id.
        """
        self._table.remove(subscription_id)

    @property
    def asks_subscriptions(self) -> bool:
        """Whether `recipients` runs code of users, because there are subscriptions of kinds they wrote."""
        return self._table.asks_subscriptions

    def recipients(self, topic_id: TopicId) -> Sequence[AgentId]:
        """The agents that handle a topic's messages, each once, in the order of the subscriptions."""
        return self._table.recipients(topic_id)

    def add_message_serializer(self, serializer: MessageSerializer[Any] | Sequence[MessageSerializer[Any]]) -> None:
        """Make payload classes known.

        Raises:
            DuplicatePayloadTypeError: two classes claim one declared name.
        """
        self.serializers.add_serializer(serializer)

    # ── agents and their handlers ────────────────────────────────────────────────────────────────────────

    async def instantiate(self, agent_id: AgentId) -> Agent:
        """Make a fresh agent, bound and not kept.

        Raises:
            UnknownAgentError: no such agent type.
            UnregisteredInstanceError: the type has instances only, and none of this key.
            RegistrationError: the factory made something of another class.
        """
        factory = self._factories.get(agent_id.type)
        if factory is not None:
            return await factory(self._runtime, agent_id)
        if agent_id.type in self._instance_classes:
            raise UnregisteredInstanceError(
                f"{agent_id} has no registered instance, and agents of its type are not made on demand: is "
                "the type subscribed to a topic whose sources are other keys?"
            )
        raise UnknownAgentError(f"Agent with name {agent_id.type} not found.")

    async def get(self, agent_id: AgentId) -> Agent:
        """The agent of this id, made at the first call; made once, however many ask at the same time.

        Raises:
            UnknownAgentError: as `instantiate`. When a factory raises, whoever waited asks it anew.
        """
        if agent_id not in self._gates and (agent := self._instances.get(agent_id)) is not None:
            return agent
        # whoever asks while the agent is made, or while others still wait for it, passes one gate in turn:
        # so messages reach a new agent in the order in which they came
        gate = self._gates.setdefault(agent_id, _Gate())
        gate.users += 1
        try:
            async with gate.lock:
                agent = self._instances.get(agent_id)
                return await self._make(agent_id) if agent is None else agent
        finally:
            gate.users -= 1
            if not gate.users:
                del self._gates[agent_id]

    def put(self, agent_id: AgentId, agent: Agent) -> None:
        """Keep an agent under its id, in place of any other."""
        self._instances[agent_id] = agent

    def discard(self, agent_id: AgentId) -> None:
        """Forget the agent of this id, if there is one; it is not closed."""
        self._instances.pop(agent_id, None)

    async def invoke(self, agent: Agent, message: Any, ctx: MessageContext) -> Any:
        """Run the agent's handler to its end and return its answer; what it raises is raised here.

        `MessageHandlerContext` names the agent for as long as the handler runs.
        """
        token = handling_agent.set(agent.id)
        try:
            return await agent.on_message(message, ctx)
        finally:
            handling_agent.reset(token)

    async def _make(self, agent_id: AgentId) -> Agent:
        try:
            agent = await self.instantiate(agent_id)
        except BaseException as error:
            _logger.info(AgentConstructionExceptionEvent(agent_id=agent_id, exception=error))
            raise
        # an instance put meanwhile wins, so that there is only ever one
        return self._instances.setdefault(agent_id, agent)


class _Gate:
    """Lets those who want one agent through in the order in which they came."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.users = 0
