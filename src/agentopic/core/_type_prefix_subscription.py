"""`TypePrefixSubscription`: every topic type with a given beginning to one agent type."""

from __future__ import annotations

import uuid

from agentopic.core._agent_id import AgentId
from agentopic.core._agent_type import AgentType
from agentopic.core._subscription import Subscription
from agentopic.core._topic import TopicId
from agentopic.errors import CantHandleError


class TypePrefixSubscription(Subscription):
    """Agents of `agent_type` handle topics by the beginning of their type; the source is the agent key."""

    def __init__(self, topic_type_prefix: str, agent_type: str | AgentType, id: str | None = None) -> None:  # noqa: A002
        self._topic_type_prefix = topic_type_prefix
        self._agent_type = agent_type.type if isinstance(agent_type, AgentType) else agent_type
        self._id = id or str(uuid.uuid4())

    @property
    def id(self) -> str:
        """Unique among all subscriptions of a runtime; random unless given."""
        return self._id

    @property
    def topic_type_prefix(self) -> str:
        """How the topic types that match begin."""
        return self._topic_type_prefix

    @property
    def agent_type(self) -> str:
        """The type of the agents that handle them."""
        return self._agent_type

    def is_match(self, topic_id: TopicId) -> bool:
        """Whether the topic's type begins with the prefix."""
        return topic_id.type.startswith(self._topic_type_prefix)

    def map_to_agent(self, topic_id: TopicId) -> AgentId:
        """The agent of this type whose key is the topic source.

        Raises:
            CantHandleError: the topic does not match.
        """
        if not self.is_match(topic_id):
            raise CantHandleError(f"topic {topic_id} does not begin with {self._topic_type_prefix!r}")
        return AgentId(self._agent_type, topic_id.source)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TypePrefixSubscription):
            return False
        same_prefix = self._topic_type_prefix == other.topic_type_prefix
        return self._id == other.id or (same_prefix and self._agent_type == other.agent_type)

    __hash__ = None  # pyright: ignore[reportAssignmentType]
