"""Fairness: a lane that has work without end gives its slot to those that wait."""

from __future__ import annotations

from agentopic.core import MessageContext
from agentopic.engine.lanes import FAIR_SECONDS, FAIR_TURNS

from .hand_clock import HandClock
from .town import Note, Resident, Town, topic

HOT = 3 * FAIR_TURNS


async def keys_in_order(town: Town, *, seconds_per_turn: float = 0.0) -> list[str]:
    """Store many events of one agent and then one of another, start a process with one slot; return who had a turn."""
    clock, order = HandClock(), list[str]()

    async def work(agent: Resident, message: Note, ctx: MessageContext) -> None:
        order.append(agent.id.key)
        clock.seconds += seconds_per_turn

    town.create("topic.clerk", partitions=1)
    writer = town.runtime()
    await writer.start()
    for _ in range(HOT):
        await writer.publish_message(Note(), topic("clerk", "hot"))
    await writer.publish_message(Note(), topic("clerk", "cold"))
    runtime = town.runtime(clock=clock, max_concurrent_agents=1)
    await town.settle(runtime, "clerk", work)
    await runtime.start()
    await runtime.stop_when_idle()
    return order


async def test_a_hot_lane_gives_its_slot_away_after_sixteen_turns(town: Town):
    order = await keys_in_order(town)

    assert sorted(order) == ["cold", *["hot"] * HOT]
    assert order.index("cold") in {FAIR_TURNS, 2 * FAIR_TURNS}  # it may have been stored a moment later


async def test_a_hot_lane_of_slow_turns_gives_its_slot_away_after_a_second(town: Town):
    order = await keys_in_order(town, seconds_per_turn=FAIR_SECONDS / 4)

    assert order.index("cold") in range(4, FAIR_TURNS, 4)
