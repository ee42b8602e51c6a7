"""`SubscriptionInstantiationContext`: for which agent type subscriptions are being made."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar

from agentopic.core._agent_type import AgentType
from agentopic.errors import ContextError


class SubscriptionInstantiationContext:
    """Tells a subscription factory the agent type that is being registered."""

    _current: ClassVar[ContextVar[AgentType]] = ContextVar("agentopic_subscription_agent_type")

    def __init__(self) -> None:
        raise ContextError("SubscriptionInstantiationContext has class methods only and cannot be instantiated")

    @classmethod
    @contextmanager
    def populate_context(cls, ctx: AgentType) -> Generator[None, Any, None]:
        """Make `ctx` the agent type inside the `with` block."""
        token = cls._current.set(ctx)
        try:
            yield
        finally:
            cls._current.reset(token)

    @classmethod
    def agent_type(cls) -> AgentType:
        """The agent type that is being registered.

        Raises:
            ContextError: no subscription factory is running.
        """
        try:
            return cls._current.get()
        except LookupError as error:
            raise ContextError("the agent type is known only while a registration makes subscriptions") from error
