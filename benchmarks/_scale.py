"""How large the counts of a benchmark are: 1 fits into a coffee, 10 and more into an evening."""

from __future__ import annotations

import os

VARIABLE = "AGENTOPIC_BENCH_SCALE"


def scaled(count: int, *, least: int = 1) -> int:
    """Return a count at the scale that `python -m benchmarks --scale` was given."""
    return max(least, round(count * float(os.environ.get(VARIABLE, "1"))))
