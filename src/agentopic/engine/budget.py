"""`Budget`: how much a run, or an agent type on one day, may spend before a person is asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from agentopic.ports.journal import Spend

Measure = Literal["usd", "tokens", "calls"]
MICROS = 1_000_000

ALLOWANCE = "agentopic.budget.allow"
"""Name of the effect that raises a budget: recorded once, and counted with its record."""

RAISED = "raised"
"""The answer to a question about a budget that somebody has raised meanwhile: look again."""

_ALLOW = re.compile(r"allow\s+\$?([0-9]+(?:\.[0-9]+)?)(?:\s+more)?", re.IGNORECASE)
_KINDS: Mapping[Measure, str] = {"usd": "US dollars", "tokens": "tokens", "calls": "model calls"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Limits of model calls; None: none. Money and tokens count input and output."""

    usd: float | None = None
    tokens: int | None = None
    calls: int | None = None

    def limits(self) -> Mapping[Measure, int]:
        """Return the limits that are set, money in millionths."""
        usd = None if self.usd is None else round(self.usd * MICROS)
        found: Mapping[Measure, int | None] = {"usd": usd, "tokens": self.tokens, "calls": self.calls}
        return {measure: limit for measure, limit in found.items() if limit is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentBudgets:
    """The budgets of one agent type."""

    run: Budget = Budget()
    """Of every run it works for: what the whole run has spent is held against it, other agents' calls included."""
    day: Budget = Budget()
    """Of the agent type on one day (UTC), in all its processes."""

    @property
    def are_set(self) -> bool:
        """Whether there is any limit."""
        return bool(self.run.limits() or self.day.limits())


def measured(counts: Spend) -> Mapping[Measure, int]:
    """Return what a scope's counts mean for each limit."""
    return {"usd": counts.micros, "tokens": counts.input_tokens + counts.output_tokens, "calls": counts.calls}


def allowance_scope(scope: str) -> str:
    """Return the scope that counts by how much people have raised the budget of a scope."""
    return f"allowed/{scope}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A limit that the next call would break."""

    scope: str
    measure: Measure
    limit: int

    @property
    def text(self) -> str:
        """The question to a person. It holds nothing that differs between attempts, or it would be another one."""
        return f"{self.scope} has used up its budget of {self.amount} {_KINDS[self.measure]}: may it go on?"

    @property
    def amount(self) -> str:
        """The limit as people write it."""
        return f"{self.limit / MICROS:g}" if self.measure == "usd" else str(self.limit)

    @property
    def choices(self) -> tuple[str, ...]:
        """The answers to choose from."""
        return f"allow {self.amount} more", "stop"

    @property
    def details(self) -> Mapping[str, Any]:
        """The same for programs."""
        return {"budget": self.scope, "measure": self.measure, "limit": self.limit}

    def is_asked_by(self, note: Mapping[str, Any]) -> bool:
        """Whether a question, by its note, is about this budget."""
        details = note.get("details")
        return isinstance(details, dict) and cast("dict[str, Any]", details).get("budget") == self.scope

    def allowed(self, answer: Any) -> int | None:
        """Return how much more an answer allows, money in millionths; None when it allows nothing."""
        match = _ALLOW.fullmatch(answer.strip()) if isinstance(answer, str) else None
        if match is None:
            return None
        return round(float(match[1]) * (MICROS if self.measure == "usd" else 1))


def allowance(scope: str, measure: Measure, amount: int) -> Spend:
    """Return the entry that raises a scope's budget."""
    raised = allowance_scope(scope)
    if measure == "usd":
        return Spend(scope=raised, micros=amount)
    return Spend(scope=raised, input_tokens=amount) if measure == "tokens" else Spend(scope=raised, calls=amount)
