"""The SQL of a step, as the file beside this module that bears its number."""

from __future__ import annotations

from importlib.resources import files


def step_text(number: str) -> str:
    """Return the statements that lead to a version of the tables."""
    return (files("agentopic.adapters.journal.postgres.migrations") / f"{number}.sql").read_text(encoding="utf-8")
