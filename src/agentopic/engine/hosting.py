"""Hosting: how one agent type is hosted by a process, and which classes can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from agentopic.core._turn import OnUnknown
from agentopic.engine.activation import keeps_state
from agentopic.engine.budget import AgentBudgets
from agentopic.engine.group import StateMode
from agentopic.engine.options import RetryPolicy
from agentopic.errors import ConfigError


@dataclass(slots=True, kw_only=True)
class Hosting:
    """How one agent type is hosted, where it differs from the options of the process."""

    state: StateMode
    concurrency: int | None = None
    retry: RetryPolicy | None = None
    start_from: str | None = None
    publishes: Sequence[str] = field(default_factory=tuple[str, ...])
    budgets: AgentBudgets | None = None
    on_unknown: OnUnknown = "tell"


def require_hostable(agent_type: str, agent_class: type, *, stateless: bool) -> None:
    """Refuse an agent class whose state a service would lose silently.

    Raises:
        ConfigError: the class does not override `save_state` and nobody said `stateless=True`.
    """
    if not stateless and not keeps_state(agent_class):
        raise ConfigError(
            f"agent type {agent_type!r}: {agent_class.__name__} does not override save_state/load_state, so what it"
            " keeps in memory would be lost at every restart: override both, or declare the service stateless=True"
        )
