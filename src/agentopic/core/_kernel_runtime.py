"""`KernelRuntime`: the part of `AgentRuntime` that every runtime does by asking its kernel."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from agentopic.core._agent import Agent
from agentopic.core._agent_id import AgentId
from agentopic.core._agent_metadata import AgentMetadata
from agentopic.core._agent_runtime import AgentRuntime
from agentopic.core._agent_type import AgentType
from agentopic.core._intervention import InterventionHandler
from agentopic.core._kernel import Kernel
from agentopic.core._serialization import MessageSerializer
from agentopic.core._subscription import Subscription
from agentopic.errors import AgentClassError, UnknownAgentError

T = TypeVar("T", bound=Agent)


class KernelRuntime(AgentRuntime):
    """Registration, subscriptions, agents and their states; a subclass adds sending and publishing.

    `agent_*`, `get(lazy=False)` and `try_get_underlying_agent_instance` make an agent that is not there yet.
    """

    def __init__(
        self,
        *,
        intervention_handlers: Sequence[InterventionHandler] | None = None,
        namespace: str | None = None,
    ) -> None:
        self._kernel = Kernel(self, intervention_handlers=intervention_handlers, namespace=namespace)

    async def register_factory(
        self,
        type: str | AgentType,  # noqa: A002 - AutoGen's parameter name
        agent_factory: Callable[[], T | Awaitable[T]],
        *,
        expected_class: type[T] | None = None,
    ) -> AgentType:
        """Register how agents of a type are made; each is made when its first message comes.

        Raises:
            RegistrationError: the type is registered already, or the factory needs arguments.
        """
        return self._kernel.register_factory(type, agent_factory, expected_class=expected_class)

    async def register_agent_instance(self, agent_instance: Agent, agent_id: AgentId) -> AgentId:
        """Register an agent that exists already.

        Raises:
            RegistrationError: the id is taken, or the type is registered by a factory or for another class.
        """
        return await self._kernel.register_agent_instance(agent_instance, agent_id)

    async def try_get_underlying_agent_instance(
        self,
        id: AgentId,  # noqa: A002 - AutoGen's parameter name
        type: type[T] = Agent,  # noqa: A002  # pyright: ignore[reportAssignmentType, reportArgumentType]
    ) -> T:
        """The agent object itself.

        Raises:
            UnknownAgentError: no such agent type.
            AgentClassError: the agent is not an instance of `type`.
        """
        agent = await self._kernel.get(id)
        if not isinstance(agent, type):
            raise AgentClassError(f"agent {id} is a {agent.__class__.__name__}, not a {type.__name__}")
        return agent

    async def get(
        self, id_or_type: AgentId | AgentType | str, /, key: str = "default", *, lazy: bool = True
    ) -> AgentId:
        """The id of an agent; with `lazy=False` the agent is made now.

        Raises:
            UnknownAgentError: not lazy, and no such agent type.
        """
        agent_id = id_or_type if isinstance(id_or_type, AgentId) else AgentId(id_or_type, key)
        if not lazy:
            await self._kernel.get(agent_id)
        return agent_id

    async def add_subscription(self, subscription: Subscription) -> None:
        """Have an agent type listen to topics.

        Raises:
            RegistrationError: an equal subscription exists already.
        """
        self._kernel.add_subscription(subscription)

    async def remove_subscription(self, id: str) -> None:  # noqa: A002 - AutoGen's parameter name
        """End a subscription.

        Raises:
            RegistrationError: there is none of this id.
        """
        self._kernel.remove_subscription(id)

    def add_message_serializer(self, serializer: MessageSerializer[Any] | Sequence[MessageSerializer[Any]]) -> None:
        """Make payload classes known.

        Raises:
            DuplicatePayloadTypeError: two classes claim one declared name.
        """
        self._kernel.add_message_serializer(serializer)

    async def save_state(self) -> Mapping[str, Any]:
        """The states of all agents made so far, by the text of their ids; queued messages are left out."""
        return {str(agent_id): dict(await agent.save_state()) for agent_id, agent in [*self._kernel.instances.items()]}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Give agents, made where needed, the states `save_state` returned; unknown types are skipped."""
        for text, agent_state in state.items():
            agent_id = AgentId.from_str(text)
            if self._kernel.knows(agent_id.type):
                await (await self._kernel.get(agent_id)).load_state(agent_state)

    async def agent_metadata(self, agent: AgentId) -> AgentMetadata:
        """What an agent says about itself.

        Raises:
            UnknownAgentError: no such agent type.
        """
        return (await self._kernel.get(agent)).metadata

    async def agent_save_state(self, agent: AgentId) -> Mapping[str, Any]:
        """The state of one agent.

        Raises:
            UnknownAgentError: no such agent type.
        """
        return await (await self._kernel.get(agent)).save_state()

    async def agent_load_state(self, agent: AgentId, state: Mapping[str, Any]) -> None:
        """Give one agent a state.

        Raises:
            UnknownAgentError: no such agent type.
        """
        await (await self._kernel.get(agent)).load_state(state)

    def _require_type(self, recipient: AgentId) -> None:
        if not self._kernel.knows(recipient.type):
            raise UnknownAgentError(f"Recipient not found: no agent type {recipient.type!r} is registered")
