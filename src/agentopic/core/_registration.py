"""What happens at a runtime when an agent class is registered: its subscriptions are made and added."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from contextlib import suppress

from agentopic.core._agent_runtime import AgentRuntime
from agentopic.core._agent_type import AgentType
from agentopic.core._subscription import Subscription, UnboundSubscription
from agentopic.core._subscription_context import SubscriptionInstantiationContext
from agentopic.core._type_prefix_subscription import TypePrefixSubscription
from agentopic.errors import RegistrationError


async def subscribe_class(runtime: AgentRuntime, agent_type: AgentType, unbound: Iterable[UnboundSubscription]) -> None:
    """Make the subscriptions for an agent type, then add them to the runtime.

    Raises:
        RegistrationError: an equal subscription exists already.
    """
    made: list[Subscription] = []
    with SubscriptionInstantiationContext.populate_context(agent_type):
        for make in unbound:
            result = make()
            made.extend(await result if inspect.isawaitable(result) else result)
    for subscription in made:
        await runtime.add_subscription(subscription)


async def subscribe_direct_messages(runtime: AgentRuntime, agent_type: str) -> None:
    """Have an agent type listen to topic types that begin with its name and a colon."""
    with suppress(RegistrationError):  # several instances of one type share this subscription
        await runtime.add_subscription(TypePrefixSubscription(f"{agent_type}:", agent_type))
