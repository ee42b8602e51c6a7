"""The figures of a run: one line of JSON for the table in docs/guarantees.md, one line for people."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agentopic.testing.history import Fact
from agentopic.testing.verdict import Verdict, judge

ROOT = Path(__file__).parents[2]
FULL = os.environ.get("CHAOS_SCALE") == "full"
REPORT = Path(os.environ.get("CHAOS_REPORT", ROOT / "build" / "chaos.jsonl"))


def scale(small: int, full: int) -> int:
    """Return a count: small for every commit, full for `make chaos`."""
    return full if FULL else small


def tell(verdict: Verdict, **figures: Any) -> Verdict:
    """Write a run's figures down, for machines and for people."""
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    entry = {**asdict(verdict), "holds": verdict.holds, "figures": figures, "full": FULL}
    entry["at"] = datetime.now(UTC).isoformat(timespec="seconds")
    with REPORT.open("a") as report:
        report.write(json.dumps(entry) + "\n")
    more = "".join(f", {name.replace('_', ' ')} {value}" for name, value in figures.items())
    sys.stdout.write(f"{verdict.line()}{more}\n")
    return verdict


def require(name: str, facts: Sequence[Fact], *, ordered: bool = True, **figures: Any) -> Verdict:
    """Judge a run, tell its figures, and fail unless the promise held and was put to the test."""
    verdict = tell(judge(name, facts, ordered=ordered), **figures)
    assert not verdict.broken, verdict.line()
    assert not verdict.vacuous, f"the faults hit nothing, the run proves nothing: {verdict.line()}"
    return verdict
