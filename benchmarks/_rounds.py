"""Alternating rounds of several contenders, so that whatever else the machine does meets all of them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from typing import Any

Round = Callable[[], Mapping[str, float]]


def alternate(contenders: Mapping[str, Round], rounds: int) -> dict[str, dict[str, float]]:
    """Run every contender in every round; medians of their figures."""
    seen: dict[str, list[Mapping[str, float]]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, one in contenders.items():
            seen[name].append(one())
    return {name: _medians(found) for name, found in seen.items()}


def _medians(found: list[Mapping[str, float]]) -> dict[str, float]:
    return {key: round(statistics.median(each[key] for each in found), 1) for key in found[0]}


def ratio(figures: Mapping[str, Mapping[str, float]], ours: str, theirs: str) -> float | None:
    """How many times faster one contender was; None when the other did not run."""
    if theirs not in figures:
        return None
    return round(figures[ours]["per_second"] / figures[theirs]["per_second"], 2)


def percentiles(seconds: list[float]) -> dict[str, Any]:
    """Return p50, p95, p99 and the number of measurements, times in ms."""
    ordered = sorted(seconds)

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000, 1)

    return {"p50_ms": at(0.5), "p95_ms": at(0.95), "p99_ms": at(0.99), "measured": len(ordered)}
