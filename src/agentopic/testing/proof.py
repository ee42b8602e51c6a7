"""The figures of fault suites: JSON lines for tables, a line each for people, and a failure when the promise broke."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from agentopic.testing.environment import read_environment
from agentopic.testing.history import Fact
from agentopic.testing.verdict import Verdict, judge


def scale(small: int, full: int) -> int:
    """Return a count: the small one, or the full one when `CHAOS_SCALE=full`."""
    return full if read_environment().full else small


def write(table: str, name: str, **figures: Any) -> None:
    """Add a line to a table in the file that `AGENTOPIC_TEST_FIGURES` names."""
    surroundings = read_environment()
    at = datetime.now(UTC).isoformat(timespec="seconds")
    surroundings.figures.parent.mkdir(parents=True, exist_ok=True)
    with surroundings.figures.open("a") as file:
        file.write(json.dumps({"table": table, "name": name, "full": surroundings.full, "at": at, **figures}) + "\n")


def say(line: str) -> None:
    """Tell people; `pytest -s` shows it, and every failure does."""
    sys.stdout.write(f"{line}\n")


def require(name: str, facts: Sequence[Fact], *, ordered: bool = True, **figures: Any) -> Verdict:
    """Judge a run after its final drain, write and tell its figures.

    Raises:
        AssertionError: the promise was broken, or no fault hit work in flight.
    """
    verdict = judge(name, facts, ordered=ordered)
    write("runs", holds=verdict.holds, figures=figures, **asdict(verdict))
    more = "".join(f", {figure.replace('_', ' ')} {value}" for figure, value in figures.items())
    say(f"{verdict.line()}{more}")
    if not verdict.holds:
        raise AssertionError(verdict.line())
    return verdict
