"""The promise under seeded schedules: crashes, freezes, lost leases, broken calls, repeated records."""

from __future__ import annotations

import os

import pytest

from agentopic.testing.proof import say, write

from .fleet_of_seeds import kept_seeds, play, play_on_all_cores
from .storm import storm
from .themes import THEMES, count_themes

SEEDS = int(os.environ.get("SIMULATION_SEEDS", "10000"))
BUDGET_SECONDS = 180


@pytest.mark.timeout(3 * BUDGET_SECONDS)
def test_no_seed_breaks_the_promise() -> None:
    tally, seconds = play_on_all_cores(0, SEEDS)

    figures = {"seeds": tally.seeds, "operations": tally.operations, "faults": tally.faults, "hits": tally.hits}
    failed = len(tally.failures)
    write("simulation", "storms", **figures, repaid=tally.repaid, failed=failed, seconds=round(seconds))
    say(f"{figures}, {tally.repaid} calls paid again, {failed} seeds failed, {seconds:.0f} s")
    assert tally.failures == []
    assert tally.seeds == SEEDS
    assert tally.hits > SEEDS / 5, "most faults hit nothing: the run proves little"
    assert tally.repaid > 0, "no call was ever open at a crash: the run proves little"


@pytest.mark.timeout(180)
@pytest.mark.parametrize("seed", kept_seeds())
def test_a_seed_that_once_failed_holds(seed: int) -> None:
    assert play(seed, 1).failures == []


def test_every_theme_is_played_by_many_seeds() -> None:
    counts = count_themes(range(10_000))

    assert counts.keys() == set(THEMES)
    assert min(counts.values()) > 1_000


def test_one_seed_is_one_schedule() -> None:
    assert [storm(seed) for seed in range(20)] == [storm(seed) for seed in range(20)]
