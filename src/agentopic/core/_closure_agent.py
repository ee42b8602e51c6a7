"""`ClosureAgent`: a function as an agent."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, Protocol, TypeVar

from agentopic.core._agent_id import AgentId
from agentopic.core._agent_runtime import AgentRuntime
from agentopic.core._agent_type import AgentType
from agentopic.core._base_agent import BaseAgent
from agentopic.core._cancellation_token import CancellationToken
from agentopic.core._declared_types import handler_types
from agentopic.core._message_context import MessageContext
from agentopic.core._registration import subscribe_class
from agentopic.core._serialization import try_get_known_serializers_for_type
from agentopic.core._subscription import Subscription
from agentopic.core._topic import TopicId
from agentopic.errors import CantHandleError, RegistrationError

T = TypeVar("T")

UnknownTypePolicy = Literal["error", "warn", "ignore"]


class ClosureContext(Protocol):
    """What the function of a closure agent can do as that agent."""

    @property
    def id(self) -> AgentId:
        """The agent's address."""
        ...

    async def send_message(
        self,
        message: Any,
        recipient: AgentId,
        *,
        cancellation_token: CancellationToken | None = None,
        message_id: str | None = None,
    ) -> Any:
        """Send to one agent and return its answer."""
        ...

    async def publish_message(
        self,
        message: Any,
        topic_id: TopicId,
        *,
        cancellation_token: CancellationToken | None = None,
        now: bool = False,
    ) -> None:
        """Publish to all subscribers of a topic but this agent; a durable turn does so at its commit, or `now`."""
        ...


class ClosureAgent(BaseAgent, ClosureContext):
    """Handles messages with one function `(context, message, message_context)`; has no state.

    `unknown_type_policy` says what a message of another class than the function's `message` is annotated with
    leads to: a `CantHandleError`, a warning and no call, or (`ignore`) a call all the same.

    Raises:
        RegistrationError: the function's signature does not fit.
    """

    def __init__(
        self,
        description: str,
        closure: Callable[[ClosureContext, T, MessageContext], Awaitable[Any]],
        *,
        unknown_type_policy: UnknownTypePolicy = "warn",
    ) -> None:
        self._closure: Callable[[ClosureContext, Any, MessageContext], Awaitable[Any]] = closure
        self._expected_types = closure_types(closure)
        self._unknown_type_policy: UnknownTypePolicy = unknown_type_policy
        super().__init__(description)

    async def on_message_impl(self, message: Any, ctx: MessageContext) -> Any:
        """Call the function.

        Raises:
            CantHandleError: the message is of another class and the policy is `error`.
        """
        if type(message) not in self._expected_types and self._unknown_type_policy != "ignore":
            refused = f"Message type {type(message)} not in target types {self._expected_types} of {self.id}"
            if self._unknown_type_policy == "error":
                raise CantHandleError(refused)
            warnings.warn(f"{refused}; see unknown_type_policy", stacklevel=2)
            return None
        return await self._closure(self, message, ctx)

    async def save_state(self) -> Mapping[str, Any]:
        """Nothing: a function has no state."""
        return {}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Do nothing: a function has no state."""

    @classmethod
    async def register_closure(
        cls,
        runtime: AgentRuntime,
        type: str,  # noqa: A002 - AutoGen's parameter name
        closure: Callable[[ClosureContext, T, MessageContext], Awaitable[Any]],
        *,
        unknown_type_policy: UnknownTypePolicy = "warn",
        skip_direct_message_subscription: bool = False,
        description: str = "",
        subscriptions: Callable[[], list[Subscription] | Awaitable[list[Subscription]]] | None = None,
    ) -> AgentType:
        """Register a function as an agent type.

        Raises:
            RegistrationError: the function's signature does not fit, or the type is registered already.
        """
        message_types = closure_types(closure)

        def factory() -> ClosureAgent:
            return ClosureAgent(description, closure, unknown_type_policy=unknown_type_policy)

        agent_type = await ClosureAgent.register(
            runtime,
            type,
            factory,
            skip_class_subscriptions=True,
            skip_direct_message_subscription=skip_direct_message_subscription,
        )
        if subscriptions is not None:
            await subscribe_class(runtime, agent_type, [subscriptions])
        for message_type in message_types:
            if inspect.isclass(message_type):
                runtime.add_message_serializer(try_get_known_serializers_for_type(message_type))
        return agent_type


def closure_types(closure: Callable[..., Awaitable[Any]]) -> tuple[Any, ...]:
    """The classes of messages a closure takes.

    Raises:
        RegistrationError: it does not take (context, message, message_context), or annotations are missing.
    """
    if len(inspect.signature(closure).parameters) != 3:
        raise RegistrationError("a closure takes three arguments: (context, message, message_context)")
    targets, _ = handler_types(closure)
    return targets
