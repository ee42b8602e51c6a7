"""Subscriptions and who receives a topic's messages."""

from __future__ import annotations

import pytest

from agentopic.core import AgentId, DefaultSubscription, Subscription, TopicId, TypePrefixSubscription, TypeSubscription
from agentopic.core._subscription_table import SubscriptionTable
from agentopic.errors import CantHandleError, InvalidNameError, RegistrationError


class BySource(Subscription):  # noqa: PLW1641 - never hashed
    """A kind of subscription that users write: it looks at the topic's source."""

    @property
    def id(self) -> str:
        return "by-source"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BySource)

    def is_match(self, topic_id: TopicId) -> bool:
        return topic_id.source.startswith("vip")

    def map_to_agent(self, topic_id: TopicId) -> AgentId:
        return AgentId("concierge", topic_id.source)


def ids(table: SubscriptionTable, topic: str) -> list[str]:
    return [str(agent_id) for agent_id in table.recipients(TopicId.from_str(topic))]


def test_recipients_come_in_the_order_of_subscriptions() -> None:
    table = SubscriptionTable()
    for name in ("c", "a", "b"):
        table.add(TypeSubscription("t", name))

    assert ids(table, "t/s") == ["c/s", "a/s", "b/s"]
    assert ids(table, "u/s") == []


def test_an_agent_matched_twice_receives_once() -> None:
    table = SubscriptionTable()
    table.add(TypeSubscription("topic", "a"))
    table.add(TypePrefixSubscription("top", "a"))
    table.add(TypePrefixSubscription("t", "b"))

    assert ids(table, "topic/s") == ["a/s", "b/s"]


def test_subscriptions_added_and_removed_later_count() -> None:
    table = SubscriptionTable()
    table.add(TypeSubscription("t", "a", id="1"))
    before = ids(table, "t/s")

    table.add(TypePrefixSubscription("t", "b", id="2"))
    both = ids(table, "t/s")
    table.remove("1")

    assert (before, both, ids(table, "t/s")) == (["a/s"], ["a/s", "b/s"], ["b/s"])


def test_subscriptions_that_users_wrote_are_asked_about_each_topic() -> None:
    table = SubscriptionTable()
    table.add(TypeSubscription("t", "a"))
    table.add(BySource())

    assert table.asks_subscriptions
    assert ids(table, "t/vip1") == ["a/vip1", "concierge/vip1"]
    assert ids(table, "t/x") == ["a/x"]
    table.remove("by-source")
    assert not table.asks_subscriptions


def test_more_topic_types_than_are_cached_are_all_served() -> None:
    table = SubscriptionTable()
    table.add(TypePrefixSubscription("t", "a"))

    served = [ids(table, f"t{number}/s") for number in range(5000)]

    assert served == [["a/s"]] * 5000


@pytest.mark.parametrize(
    "again",
    [
        TypeSubscription("t", "a"),
        TypeSubscription("other", "a", id="1"),
        TypePrefixSubscription("p", "a"),
        TypePrefixSubscription("q", "a", id="1"),
        BySource(),
    ],
)
def test_an_equal_subscription_is_refused(again: Subscription) -> None:
    table = SubscriptionTable()
    table.add(TypeSubscription("t", "a", id="1"))
    table.add(TypePrefixSubscription("p", "a", id="2"))
    table.add(BySource())

    with pytest.raises(RegistrationError, match="already exists"):
        table.add(again)

    assert len(table.subscriptions) == 3


def test_a_removed_subscription_can_be_added_again() -> None:
    table = SubscriptionTable()
    table.add(TypeSubscription("t", "a", id="1"))

    table.remove("1")
    table.add(TypeSubscription("t", "a", id="1"))

    assert ids(table, "t/s") == ["a/s"]


def test_an_unknown_subscription_cannot_be_removed() -> None:
    with pytest.raises(RegistrationError, match="does not exist"):
        SubscriptionTable().remove("none")


def test_an_agent_type_that_is_no_name_is_refused_when_subscribed() -> None:
    table = SubscriptionTable()

    with pytest.raises(InvalidNameError, match="a b"):
        table.add(TypeSubscription("t", "a b"))

    assert table.subscriptions == ()


@pytest.mark.parametrize("subscription", [TypeSubscription("t", "a"), TypePrefixSubscription("t", "a")])
def test_another_topic_is_not_mapped(subscription: Subscription) -> None:
    with pytest.raises(CantHandleError):
        subscription.map_to_agent(TopicId("u", "s"))


def test_default_subscription_outside_of_a_registration_needs_an_agent_type() -> None:
    with pytest.raises(CantHandleError, match="agent_type"):
        DefaultSubscription()
