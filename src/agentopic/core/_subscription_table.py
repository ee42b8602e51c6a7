"""`SubscriptionTable`: all subscriptions of a runtime and who receives a topic's messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from agentopic.core._agent_id import AgentId
from agentopic.core._subscription import Subscription
from agentopic.core._topic import TopicId
from agentopic.core._type_prefix_subscription import TypePrefixSubscription
from agentopic.core._type_subscription import TypeSubscription
from agentopic.errors import RegistrationError

_CACHED_TOPIC_TYPES: Final = 4096

_Pair: TypeAlias = tuple[type[Subscription], str, str]
_Route: TypeAlias = str | Subscription
"""An agent type whose key is the topic source, or a subscription that must be asked about each topic."""


class SubscriptionTable:
    """Subscriptions in the order they were added; recipients are looked up once per topic type."""

    def __init__(self) -> None:
        self._by_id: dict[str, Subscription] = {}
        self._pairs: set[_Pair] = set()
        self._routes: dict[str, tuple[_Route, ...]] = {}
        self._custom = 0

    @property
    def subscriptions(self) -> Sequence[Subscription]:
        """All subscriptions, in the order they were added."""
        return tuple(self._by_id.values())

    @property
    def asks_subscriptions(self) -> bool:
        """Whether there are subscriptions of kinds that users wrote, whose code runs for each topic."""
        return self._custom > 0

    def add(self, subscription: Subscription) -> None:
        """Add a subscription.

        Raises:
            RegistrationError: an equal one (same id, or same topics for the same agent type) exists already.
            InvalidNameError: its agent type has characters that are not allowed.
        """
        pair = _pair(subscription)
        known = subscription.id in self._by_id
        if known or (pair in self._pairs if pair else self._has_equal(subscription)):
            raise RegistrationError("Subscription already exists")
        if pair:
            self._pairs.add((pair[0], pair[1], AgentId(pair[2], "").type))
        else:
            self._custom += 1
        self._by_id[subscription.id] = subscription
        self._routes.clear()

    def remove(self, subscription_id: str) -> None:
        """Remove a subscription.

        Raises:
            RegistrationError: there is none of this id.
        """
        subscription = self._by_id.pop(subscription_id, None)
        if subscription is None:
            raise RegistrationError("Subscription does not exist")
        if pair := _pair(subscription):
            self._pairs.discard(pair)
        else:
            self._custom -= 1
        self._routes.clear()

    def recipients(self, topic_id: TopicId) -> Sequence[AgentId]:
        """The agents that handle a topic, each once, in the order of their subscriptions."""
        routes = self._routes.get(topic_id.type)
        if routes is None:
            routes = self._route(topic_id.type)
        if len(routes) == 1 and isinstance(routes[0], str):
            return (AgentId(routes[0], topic_id.source),)
        found: dict[AgentId, None] = {}
        for route in routes:
            if isinstance(route, str):
                found[AgentId(route, topic_id.source)] = None
            elif route.is_match(topic_id):
                found[route.map_to_agent(topic_id)] = None
        return tuple(found)

    def _route(self, topic_type: str) -> tuple[_Route, ...]:
        probe = TopicId(topic_type, "")
        routes: list[_Route] = []
        for subscription in self._by_id.values():
            if not _pair(subscription):
                routes.append(subscription)
            elif subscription.is_match(probe) and (agent_type := subscription.map_to_agent(probe).type) not in routes:
                routes.append(agent_type)
        if len(self._routes) >= _CACHED_TOPIC_TYPES:
            self._routes.clear()
        self._routes[topic_type] = cached = tuple(routes)
        return cached

    def _has_equal(self, subscription: Subscription) -> bool:
        return any(known == subscription for known in self._by_id.values() if not _pair(known))


def _pair(subscription: Subscription) -> _Pair | None:
    """What makes a subscription by topic type equal to another; None for kinds that users wrote."""
    kind = type(subscription)
    if isinstance(subscription, TypeSubscription) and _maps_as(kind, TypeSubscription):
        return TypeSubscription, subscription.topic_type, subscription.agent_type
    if isinstance(subscription, TypePrefixSubscription) and _maps_as(kind, TypePrefixSubscription):
        return TypePrefixSubscription, subscription.topic_type_prefix, subscription.agent_type
    return None


def _maps_as(kind: type[Subscription], base: type[Subscription]) -> bool:
    return kind.is_match is base.is_match and kind.map_to_agent is base.map_to_agent
