"""A process dies at each marked point, in process: nothing is lost, nothing is done twice, what is paid again is open."""

from __future__ import annotations

import logging

import pytest

from agentopic.testing.fault_points import POINTS, FaultPoint

from .death import death

RUNS = 100


@pytest.mark.timeout(120)
@pytest.mark.parametrize("point", POINTS)
def test_a_death_at_a_marked_point_breaks_nothing(point: FaultPoint) -> None:
    logging.disable(logging.CRITICAL)
    try:
        deaths = [death(point, seed) for seed in range(RUNS)]
    finally:
        logging.disable(logging.NOTSET)

    repaid = sum(each.verdict.repaid for each in deaths)
    print(f"{point}: {RUNS} runs, struck {sum(each.struck for each in deaths)}, lost 0, duplicated 0, re-paid {repaid}")
    assert [each.verdict.line() for each in deaths if each.verdict.broken] == []
    assert sum(each.struck for each in deaths) > RUNS * 3 / 4, "the point was hardly ever reached"
