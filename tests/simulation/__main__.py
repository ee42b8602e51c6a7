"""Play seeds: `python -m tests.simulation [seeds] [first]`; one JSON line, then one for people."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from .fleet_of_seeds import Tally, keep, kept_seeds, play, play_on_all_cores
from .themes import count_themes

SEEDS = 10_000


def main(arguments: list[str]) -> int:
    """Play as many seeds as asked for, the kept ones besides; 1 when one failed."""
    if arguments[:1] == ["worker"]:
        first, count, step = (int(each) for each in arguments[1:])
        sys.stdout.write(json.dumps(asdict(play(first, count, step=step))))
        return 0
    count = int(arguments[0]) if arguments else SEEDS
    first = int(arguments[1]) if len(arguments) > 1 else 0
    kept = Tally()
    for seed in kept_seeds():
        kept.add(play(seed, 1))
    tally, seconds = play_on_all_cores(first, count)
    tally.add(kept)
    keep(tally.failed_seeds)
    sys.stdout.write(json.dumps({**asdict(tally), "seconds": round(seconds, 1)}) + "\n")
    for failure in tally.failures:
        sys.stdout.write(f"{failure}\n")
    sys.stdout.write(
        "; ".join(
            f"{theme}: {count} seeds" for theme, count in sorted(count_themes(range(first, first + count)).items())
        )
        + "\n"
    )
    sys.stdout.write(
        f"{tally.seeds} seeds in {seconds:.0f} s: {tally.operations} operations, {tally.faults} faults,"
        f" {tally.hits} hit work in flight, {tally.repaid} calls paid again, {len(tally.failures)} seeds failed\n"
    )
    return 1 if tally.failures or tally.hits == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
