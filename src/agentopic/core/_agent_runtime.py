"""`AgentRuntime`: what every runtime offers to agents and applications."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar, runtime_checkable

from agentopic.core._agent import Agent
from agentopic.core._agent_id import AgentId
from agentopic.core._agent_metadata import AgentMetadata
from agentopic.core._agent_type import AgentType
from agentopic.core._cancellation_token import CancellationToken
from agentopic.core._serialization import MessageSerializer
from agentopic.core._subscription import Subscription
from agentopic.core._topic import TopicId

T = TypeVar("T", bound=Agent)


@runtime_checkable
class AgentRuntime(Protocol):
    """Creates agents and carries messages between them."""

    async def send_message(
        self,
        message: Any,
        recipient: AgentId,
        *,
        sender: AgentId | None = None,
        cancellation_token: CancellationToken | None = None,
        message_id: str | None = None,
    ) -> Any:
        """Send to one agent and return its answer; what its handler raises is raised here.

        Raises:
            UnknownAgentError: no such agent type.
            MessageDroppedError: an intervention handler dropped the message or the answer.
            asyncio.CancelledError: the token was cancelled before an answer came.
        """
        ...

    async def publish_message(
        self,
        message: Any,
        topic_id: TopicId,
        *,
        sender: AgentId | None = None,
        cancellation_token: CancellationToken | None = None,
        message_id: str | None = None,
        now: bool = False,
    ) -> None:
        """Publish to all subscribers of a topic; the sender does not receive its own message.

        A durable turn collects what it publishes until it commits, unless it is to leave `now`.
        """
        ...

    async def register_factory(
        self,
        type: str | AgentType,  # noqa: A002 - AutoGen's parameter name
        agent_factory: Callable[[], T | Awaitable[T]],
        *,
        expected_class: type[T] | None = None,
    ) -> AgentType:
        """Register how agents of a type are made; each is made when its first message comes.

        Raises:
            RegistrationError: the type is registered already.
        """
        ...

    async def register_agent_instance(self, agent_instance: Agent, agent_id: AgentId) -> AgentId:
        """Register an agent that exists already. All instances of one type must be of the same class.

        Raises:
            RegistrationError: the id is taken, or the type is registered by a factory or for another class.
        """
        ...

    async def try_get_underlying_agent_instance(self, id: AgentId, type: type[T] = Agent) -> T:  # noqa: A002
        """The agent object itself, for tests and inspection; it is made if it does not exist yet.

        Raises:
            UnknownAgentError: no such agent type.
            AgentClassError: the agent is not an instance of `type`.
            NotAccessibleError: the agent does not live in this process.
        """
        ...

    async def get(
        self, id_or_type: AgentId | AgentType | str, /, key: str = "default", *, lazy: bool = True
    ) -> AgentId:
        """The id of an agent; with `lazy=False` the agent is made now.

        Raises:
            UnknownAgentError: not lazy, and no such agent type.
        """
        ...

    async def save_state(self) -> Mapping[str, Any]:
        """The states of all agents made so far, by the text of their ids."""
        ...

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Give agents the states that `save_state` returned; types that are not registered are skipped."""
        ...

    async def agent_metadata(self, agent: AgentId) -> AgentMetadata:
        """What an agent says about itself."""
        ...

    async def agent_save_state(self, agent: AgentId) -> Mapping[str, Any]:
        """The state of one agent."""
        ...

    async def agent_load_state(self, agent: AgentId, state: Mapping[str, Any]) -> None:
        """Give one agent a state that `agent_save_state` returned."""
        ...

    async def add_subscription(self, subscription: Subscription) -> None:
        """Have an agent type listen to topics.

        Raises:
            RegistrationError: an equal subscription exists already.
        """
        ...

    async def remove_subscription(self, id: str) -> None:  # noqa: A002 - AutoGen's parameter name
        """End a subscription.

        Raises:
            RegistrationError: there is no subscription of this id.
        """
        ...

    def add_message_serializer(self, serializer: MessageSerializer[Any] | Sequence[MessageSerializer[Any]]) -> None:
        """Make payload classes known; of two serializers for one type and content type the later is used."""
        ...
