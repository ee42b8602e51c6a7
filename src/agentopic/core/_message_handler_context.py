"""`MessageHandlerContext`: whose handler is running."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from agentopic.core._agent_id import AgentId
from agentopic.errors import ContextError

handling_agent: Final[ContextVar[AgentId]] = ContextVar("agentopic_handling_agent")
"""The agent whose handler runs in this task; set by the kernel for as long as the handler runs."""


class MessageHandlerContext:
    """Tells code inside a handler which agent it works for."""

    def __init__(self) -> None:
        raise ContextError("MessageHandlerContext has class methods only and cannot be instantiated")

    @classmethod
    @contextmanager
    def populate_context(cls, ctx: AgentId) -> Generator[None, Any, None]:
        """Make `ctx` the handling agent inside the `with` block."""
        token = handling_agent.set(ctx)
        try:
            yield
        finally:
            handling_agent.reset(token)

    @classmethod
    def agent_id(cls) -> AgentId:
        """The agent whose handler is running.

        Raises:
            ContextError: no handler is running in this task.
        """
        try:
            return handling_agent.get()
        except LookupError as error:
            raise ContextError("MessageHandlerContext.agent_id() is known only inside a message handler") from error
