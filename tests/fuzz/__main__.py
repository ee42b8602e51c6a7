"""Throw nonsense at every door for some seconds: `python -m tests.fuzz [seconds] [seed]`; 1 when one gave way."""

from __future__ import annotations

import logging
import random
import sys
import time
import traceback
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from agentopic.testing.proof import write

from .doors import DOORS, Door

SECONDS = 60.0
ROUND = 200
UNHEALTHY = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)
PHASES = (Phase.explicit, Phase.generate, Phase.shrink)


@dataclass(slots=True)
class Count:
    """What one door has been given."""

    thrown: int = 0
    taken: int = 0


def throw(door: Door, count: Count, examples: int, first: int) -> None:
    """Throw so many inputs at a door; what breaks it is made small and raised."""

    @settings(max_examples=examples, deadline=None, database=None, phases=PHASES, suppress_health_check=UNHEALTHY)
    @seed(first)
    @given(door.inputs)
    def once(given_input: Any) -> None:
        count.thrown += 1
        count.taken += door.open(given_input)

    once()


def main(arguments: list[str]) -> int:
    """Give each door its share of the time."""
    seconds = float(arguments[0]) if arguments else SECONDS
    first = int(arguments[1]) if len(arguments) > 1 else random.SystemRandom().randrange(1 << 32)
    sys.stdout.write(f"seed {first}\n")
    logging.disable(logging.CRITICAL)  # what is refused is told; nobody can read that much
    broken = 0
    for door in DOORS:
        count, began = Count(), time.monotonic()
        try:
            while time.monotonic() - began < seconds / len(DOORS):
                throw(door, count, ROUND // 10 if door.slow else ROUND, first + count.thrown)
            verdict = "holds"
        except Exception:  # noqa: BLE001 - whatever comes through a door that refuses in its own words is what is looked for
            traceback.print_exc()
            broken, verdict = broken + 1, "BROKEN"
        spent = time.monotonic() - began
        sys.stdout.write(f"{door.name:<18}{count.thrown:>8} thrown {count.taken:>8} taken {spent:6.1f} s  {verdict}\n")
        sys.stdout.flush()
        figures = {"thrown": count.thrown, "taken": count.taken, "broken": int(verdict != "holds")}
        write("fuzz", door.name, seconds=round(spent), **figures)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
