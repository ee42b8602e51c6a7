"""`Subscription`: who listens to which topics."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias, runtime_checkable

from agentopic.core._agent_id import AgentId
from agentopic.core._topic import TopicId


@runtime_checkable
class Subscription(Protocol):  # noqa: PLW1641 - subscriptions are compared, never hashed
    """Maps topics to agents. Both methods must give the same answer for the same topic at all times."""

    @property
    def id(self) -> str:
        """Unique among all subscriptions of a runtime."""
        ...

    def __eq__(self, other: object) -> bool:
        """Whether `other` listens to the same topics on behalf of the same agents."""
        ...

    def is_match(self, topic_id: TopicId) -> bool:
        """Whether messages on this topic are wanted."""
        ...

    def map_to_agent(self, topic_id: TopicId) -> AgentId:
        """The agent that handles messages on a matching topic.

        Raises:
            CantHandleError: the topic does not match.
        """
        ...


UnboundSubscription: TypeAlias = Callable[[], "list[Subscription] | Awaitable[list[Subscription]]"]
"""Makes the subscriptions of an agent class once its agent type is known."""
