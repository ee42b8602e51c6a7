"""`DefaultSubscription` and the class decorators that subscribe an agent class."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, overload

from agentopic.core._agent_type import AgentType
from agentopic.core._base_agent import BaseAgent
from agentopic.core._subscription import UnboundSubscription
from agentopic.core._subscription_context import SubscriptionInstantiationContext
from agentopic.core._type_subscription import TypeSubscription
from agentopic.errors import CantHandleError, ContextError

BaseAgentType = TypeVar("BaseAgentType", bound=BaseAgent)


class DefaultSubscription(TypeSubscription):
    """A type subscription to `default`, for the agent type being registered unless one is named.

    Raises:
        CantHandleError: no agent type is named and none is being registered.
    """

    def __init__(self, topic_type: str = "default", agent_type: str | AgentType | None = None) -> None:
        if agent_type is None:
            try:
                agent_type = SubscriptionInstantiationContext.agent_type()
            except ContextError as error:
                raise CantHandleError(
                    "DefaultSubscription needs an agent_type unless made while an agent type is registered"
                ) from error
        super().__init__(topic_type, agent_type)


@overload
def default_subscription() -> Callable[[type[BaseAgentType]], type[BaseAgentType]]: ...
@overload
def default_subscription(cls: type[BaseAgentType]) -> type[BaseAgentType]: ...
def default_subscription(
    cls: type[BaseAgentType] | None = None,
) -> Callable[[type[BaseAgentType]], type[BaseAgentType]] | type[BaseAgentType]:
    """Class decorator: every agent type registered for the class listens to the topic type `default`."""
    subscribe = subscription_factory(lambda: [DefaultSubscription()])
    return subscribe if cls is None else subscribe(cls)


def type_subscription(topic_type: str) -> Callable[[type[BaseAgentType]], type[BaseAgentType]]:
    """Class decorator: every agent type registered for the class listens to `topic_type`."""
    return subscription_factory(lambda: [DefaultSubscription(topic_type=topic_type)])


def subscription_factory(make: UnboundSubscription) -> Callable[[type[BaseAgentType]], type[BaseAgentType]]:
    """Class decorator: the subscriptions that `make` returns are added when the class is registered."""

    def decorate(cls: type[BaseAgentType]) -> type[BaseAgentType]:
        cls.internal_unbound_subscriptions_list.append(make)
        return cls

    return decorate
