"""One agent type as this process hosts it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from agentopic.core._turn import OnUnknown
from agentopic.engine.budget import AgentBudgets
from agentopic.engine.options import RetryPolicy
from agentopic.engine.routing import Router

StateMode = Literal["stored", "none", "process"]
"""Where an agent's state lives: in the journal, nowhere (stateless), or in the process and gone with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentGroup:
    """An agent type, the consumer group of its services, and its limits here."""

    agent_type: str
    group: str
    router: Router
    concurrency: int
    retry: RetryPolicy
    state: StateMode
    start_from: str | None
    budgets: AgentBudgets = field(default_factory=AgentBudgets)
    on_unknown: OnUnknown = "tell"
    """What is done about an unrepeatable call that was open when its process died, unless the call says."""
