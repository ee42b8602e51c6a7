"""`AgentInstantiationContext`: for which id and runtime an agent is being made."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar

from agentopic.core._agent_id import AgentId
from agentopic.core._agent_runtime import AgentRuntime
from agentopic.errors import ContextError


class AgentInstantiationContext:
    """Tells a factory, and the constructor it calls, which agent it makes and where."""

    _current: ClassVar[ContextVar[tuple[AgentRuntime, AgentId]]] = ContextVar("agentopic_instantiation")

    def __init__(self) -> None:
        raise ContextError("AgentInstantiationContext has class methods only and cannot be instantiated")

    @classmethod
    @contextmanager
    def populate_context(cls, ctx: tuple[AgentRuntime, AgentId]) -> Generator[None, Any, None]:
        """Make `ctx` the runtime and id inside the `with` block."""
        token = cls._current.set(ctx)
        try:
            yield
        finally:
            cls._current.reset(token)

    @classmethod
    def current_runtime(cls) -> AgentRuntime:
        """The runtime that makes the agent.

        Raises:
            ContextError: no factory is running.
        """
        return cls._require()[0]

    @classmethod
    def current_agent_id(cls) -> AgentId:
        """The id of the agent that is being made.

        Raises:
            ContextError: no factory is running.
        """
        return cls._require()[1]

    @classmethod
    def is_in_factory_call(cls) -> bool:
        """Whether a runtime's factory is running."""
        return cls._current.get(None) is not None

    @classmethod
    def _require(cls) -> tuple[AgentRuntime, AgentId]:
        try:
            return cls._current.get()
        except LookupError as error:
            raise ContextError(
                "the id and runtime of an agent are known only while a runtime's factory makes it; an agent "
                "that is constructed directly must be registered with `register_instance`"
            ) from error
