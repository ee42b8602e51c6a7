from __future__ import annotations

from agentopic.engine.lane_run import LaneRun
from agentopic.engine.options import EngineOptions
from agentopic.engine.sleepers import SuspendedTurns
from agentopic.engine.slots import Slot, Slots
from agentopic.ports.journal import Started


def start_of(pos: int) -> Started:
    return Started(lane=b"lane", group="town.clerk", key="k", token=1, pos=pos, identity=b"%d" % pos)


def lane_at(pos: int) -> LaneRun:
    """A lane whose turn at this position has begun."""
    slots = Slots(1, freed=lambda: None)
    slots.take()
    run = LaneRun(start_of(pos), Slot(slots), SuspendedTurns(EngineOptions(namespace="town")))
    run.begin(run.started)
    return run


async def test_a_turn_that_is_read_back_as_it_is_about_to_begin_is_not_noted_as_the_next_one():
    run = lane_at(1)
    run.given(start_of(2))

    run.begin(start_of(2))

    assert run.next is None


async def test_the_turn_at_hand_read_back_is_not_noted_as_the_next_one():
    run = lane_at(1)

    run.given(start_of(1))

    assert run.next is None


async def test_a_turn_the_journal_starts_as_the_lane_ends_is_the_next_one():
    run = lane_at(1)

    run.given(start_of(2))

    assert run.next == start_of(2)
