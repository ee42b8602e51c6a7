"""`TypeSubscription`: one topic type to one agent type."""

from __future__ import annotations

import uuid

from agentopic.core._agent_id import AgentId
from agentopic.core._agent_type import AgentType
from agentopic.core._subscription import Subscription
from agentopic.core._topic import TopicId
from agentopic.errors import CantHandleError


class TypeSubscription(Subscription):
    """Agents of `agent_type` handle topics of exactly `topic_type`; the topic source is the agent key."""

    def __init__(self, topic_type: str, agent_type: str | AgentType, id: str | None = None) -> None:  # noqa: A002
        self._topic_type = topic_type
        self._agent_type = agent_type.type if isinstance(agent_type, AgentType) else agent_type
        self._id = id or str(uuid.uuid4())

    @property
    def id(self) -> str:
        """Unique among all subscriptions of a runtime; random unless given."""
        return self._id

    @property
    def topic_type(self) -> str:
        """The topic type that matches."""
        return self._topic_type

    @property
    def agent_type(self) -> str:
        """The type of the agents that handle it."""
        return self._agent_type

    def is_match(self, topic_id: TopicId) -> bool:
        """Whether the topic's type is this subscription's."""
        return topic_id.type == self._topic_type

    def map_to_agent(self, topic_id: TopicId) -> AgentId:
        """The agent of this type whose key is the topic source.

        Raises:
            CantHandleError: the topic does not match.
        """
        if not self.is_match(topic_id):
            raise CantHandleError(f"topic {topic_id} does not match the subscription to type {self._topic_type!r}")
        return AgentId(self._agent_type, topic_id.source)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TypeSubscription):
            return False
        same_pair = self._agent_type == other.agent_type and self._topic_type == other.topic_type
        return self._id == other.id or same_pair

    __hash__ = None  # pyright: ignore[reportAssignmentType]
