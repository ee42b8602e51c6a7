"""Many seeds on all cores: each worker process plays its share and says what it saw."""

from __future__ import annotations

import gc
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from .storm import storm

ROOT = Path(__file__).parents[2]
SEEDS_FILE = Path(__file__).with_name("seeds.txt")
"""Seeds that once failed; they are played first, for ever."""


@dataclass(slots=True)
class Tally:
    """What some seeds came to."""

    seeds: int = 0
    operations: int = 0
    faults: int = 0
    hits: int = 0
    repaid: int = 0
    repeated: int = 0
    dead: int = 0
    failures: list[str] = field(default_factory=list[str])
    failed_seeds: list[int] = field(default_factory=list[int])

    def play(self, seed: int) -> None:
        """Play one seed."""
        self.seeds += 1
        try:
            verdict = storm(seed)
        except (AssertionError, RuntimeError) as exc:
            self._fail(seed, f"seed {seed}: {exc}")
            return
        self.operations += verdict.operations
        self.faults += verdict.faults
        self.hits += verdict.hits
        self.repaid += verdict.repaid
        self.repeated += verdict.repeated
        self.dead += verdict.dead
        if verdict.broken:
            self._fail(seed, verdict.line())

    def _fail(self, seed: int, message: str) -> None:
        self.failed_seeds.append(seed)
        self.failures.append(message[:2000])

    def add(self, other: Tally) -> None:
        """Add what another worker saw."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


def kept_seeds() -> Sequence[int]:
    """Return the seeds that once failed."""
    lines = SEEDS_FILE.read_text().splitlines()
    return [int(line.split("#")[0]) for line in lines if line.split("#")[0].strip()]


def play(first: int, count: int, *, step: int = 1) -> Tally:
    """Play seeds in this process."""
    logging.disable(logging.CRITICAL)  # a simulated disaster a millisecond: what the engine warns of is the plan
    before = gc.get_threshold()
    gc.set_threshold(
        50_000, 50, 100
    )  # nothing of a seed outlives it: looking through all of it again and again is vain
    try:
        tally = Tally()
        for seed in range(first, first + count, step):
            tally.play(seed)
        return tally
    finally:
        gc.set_threshold(*before)
        logging.disable(logging.NOTSET)


def play_on_all_cores(first: int, count: int) -> tuple[Tally, float]:
    """Play seeds in one worker per core; the tally and the seconds it took."""
    workers = os.cpu_count() or 1
    began = time.monotonic()
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.simulation", "worker", str(first + index), str(count - index), str(workers)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
        )
        for index in range(workers)
    ]
    tally = Tally()
    for worker in running:
        output, _ = worker.communicate()
        assert worker.returncode == 0, f"a worker ended with {worker.returncode}"
        tally.add(Tally(**json.loads(output)))
    return tally, time.monotonic() - began


def keep(seeds: Sequence[int]) -> None:
    """Note failing seeds, so that they are played by every run from now on."""
    new = sorted(set(seeds) - set(kept_seeds()))
    with SEEDS_FILE.open("a") as file:
        file.writelines(f"{seed}\n" for seed in new)
