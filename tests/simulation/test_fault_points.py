"""A process dies, or stands still, at each marked point: nothing is lost, nothing twice, what is paid again is open."""

from __future__ import annotations

import logging

import pytest

from agentopic.testing.fault_points import POINTS, FaultPoint
from agentopic.testing.proof import say, write

from .death import death, standstill, standstill_before_a_call

RUNS = 100
STILLS = 20


@pytest.mark.timeout(120)
@pytest.mark.parametrize("point", POINTS)
def test_a_death_at_a_marked_point_breaks_nothing(point: FaultPoint) -> None:
    logging.disable(logging.CRITICAL)
    try:
        deaths = [death(point, seed) for seed in range(RUNS)]
    finally:
        logging.disable(logging.NOTSET)

    struck, repaid = sum(each.struck for each in deaths), sum(each.verdict.repaid for each in deaths)
    lost, twice = (sum(len(getattr(each.verdict, name)) for each in deaths) for name in ("lost", "duplicated"))
    write("points", point, runs=RUNS, struck=struck, lost=lost, duplicated=twice, repaid=repaid)
    say(f"{point}: {RUNS} runs, {struck} deaths, {lost} lost, {twice} duplicated, {repaid} paid again")
    assert [each.verdict.line() for each in deaths if each.verdict.broken] == []
    assert struck > RUNS * 3 / 4, "the point was hardly ever reached"


@pytest.mark.timeout(120)
@pytest.mark.parametrize("point", POINTS)
def test_a_standstill_past_the_lease_at_a_marked_point_breaks_nothing(point: FaultPoint) -> None:
    logging.disable(logging.CRITICAL)
    try:
        ends = [standstill(point, seed) for seed in range(STILLS)]
    finally:
        logging.disable(logging.NOTSET)

    assert [each.verdict.line() for each in ends if each.verdict.broken] == []
    assert sum(each.struck for each in ends) > STILLS / 2, "the point was hardly ever reached"


def test_a_call_before_which_its_process_stood_still_past_the_lease_is_not_made() -> None:
    logging.disable(logging.CRITICAL)
    try:
        ends = [standstill_before_a_call(seed) for seed in range(STILLS)]
    finally:
        logging.disable(logging.NOTSET)

    assert all(each.struck for each in ends)
    assert [each.verdict.line() for each in ends if each.verdict.repaid] == []
