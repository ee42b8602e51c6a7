"""`AgentFactory`: how the agents of one type are made."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from agentopic.core._agent import Agent
from agentopic.core._agent_id import AgentId
from agentopic.core._agent_runtime import AgentRuntime
from agentopic.core._instantiation_context import AgentInstantiationContext
from agentopic.errors import RegistrationError


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFactory:
    """A user's factory with what is expected of it."""

    make: Callable[..., Any]
    takes_runtime: bool
    """Whether it wants (runtime, agent_id), AutoGen's deprecated form."""
    expected_class: type[Any] | None

    @classmethod
    def of(cls, make: Callable[..., Any], expected_class: type[Any] | None = None) -> AgentFactory:
        """Check a user's factory at registration.

        Raises:
            RegistrationError: it needs another number of arguments than none or two.
        """
        required = _required_arguments(make)
        if required == 2:
            warnings.warn(
                "agent factories that take two arguments are deprecated: use AgentInstantiationContext",
                stacklevel=4,
            )
        elif required != 0:
            raise RegistrationError(f"an agent factory takes no arguments, this one needs {required}")
        return cls(make=make, takes_runtime=required == 2, expected_class=expected_class)

    async def __call__(self, runtime: AgentRuntime, agent_id: AgentId) -> Agent:
        """Make the agent of this id and bind it.

        Raises:
            RegistrationError: the factory made an instance of another class than the one registered.
        """
        with AgentInstantiationContext.populate_context((runtime, agent_id)):
            made = self.make(runtime, agent_id) if self.takes_runtime else self.make()
            agent = cast("Agent", await made if inspect.isawaitable(made) else made)
        if self.expected_class is not None and not isinstance(agent, self.expected_class):
            raise RegistrationError(
                f"the factory of {agent_id.type!r} made a {type(agent).__name__}, not a {self.expected_class.__name__}"
            )
        await agent.bind_id_and_runtime(id=agent_id, runtime=runtime)
        return agent


def _required_arguments(make: Callable[..., Any]) -> int:
    try:
        parameters = inspect.signature(make).parameters.values()
    except ValueError:  # some builtins have no signature
        return 0
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(1 for p in parameters if p.default is p.empty and p.kind in positional)
