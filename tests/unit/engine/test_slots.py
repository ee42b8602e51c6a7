"""Slots: running turns are counted, waiting ones are not."""

from __future__ import annotations

import asyncio

from agentopic.engine.slots import Slot, Slots
from agentopic.engine.step_keys import Scope
from agentopic.engine.suspension import Suspension

from .town import until


def slots_of(limit: int) -> tuple[Slots, list[int]]:
    freed = list[int]()
    return Slots(limit, freed=lambda: freed.append(1)), freed


def taken(slots: Slots) -> Slot:
    slots.take()
    return Slot(slots)


async def turns() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_a_slot_given_back_goes_to_the_turn_that_has_waited_longest_to_go_on():
    slots, _ = slots_of(1)
    first, second, third = (taken(slots) for _ in range(3))
    second.give_back()
    third.give_back()
    order = list[str]()

    async def go_on(slot: Slot, name: str) -> None:
        await slot.retake()
        order.append(name)
        slot.give_back()

    waiting = [asyncio.ensure_future(go_on(second, "second")), asyncio.ensure_future(go_on(third, "third"))]
    await turns()
    assert order == []
    first.give_back()
    await asyncio.gather(*waiting)

    assert order == ["second", "third"]
    assert slots.used == 0


async def test_turns_that_go_on_come_before_new_lanes():
    slots, freed = slots_of(2)
    first, second = taken(slots), taken(slots)
    second.give_back()
    assert freed == [1]
    slots.take()
    resuming = asyncio.ensure_future(second.retake())
    await turns()

    first.give_back()
    await resuming

    assert slots.free == 0
    assert freed == [1]  # no new lane was asked for


async def test_who_gives_up_waiting_for_a_slot_takes_none():
    slots, _ = slots_of(1)
    first, second = taken(slots), taken(slots)
    second.give_back()
    resuming = asyncio.ensure_future(second.retake())
    await turns()

    resuming.cancel()
    await asyncio.wait({resuming})
    first.give_back()

    assert slots.used == 0
    assert slots.free == 1


async def test_who_gives_up_at_the_moment_it_is_granted_a_slot_gives_it_back():
    slots, _ = slots_of(1)
    first, second = taken(slots), taken(slots)
    second.give_back()
    resuming = asyncio.ensure_future(second.retake())
    await turns()

    first.give_back()
    resuming.cancel()
    await asyncio.wait({resuming})

    assert slots.used == 0


async def test_a_suspended_suspect_leaves_the_gate_to_others_and_takes_it_again():
    slots, _ = slots_of(5)
    gate = asyncio.Lock()
    suspect = taken(slots)
    await suspect.enter(gate)

    suspect.give_back()
    assert not gate.locked()
    await suspect.retake()
    assert gate.locked()
    suspect.leave()

    assert not gate.locked()


async def test_lanes_above_the_limit_free_no_slot_for_others_when_they_end():
    slots, freed = slots_of(1)
    first, second = taken(slots), taken(slots)

    first.give_back()
    assert slots.free == 0
    assert freed == []
    second.give_back()

    assert slots.free == 1


async def test_a_turn_gives_its_slot_back_while_it_only_waits():
    slots, _ = slots_of(1)
    changes = list[bool]()
    suspension = Suspension(taken(slots), changed=changes.append)

    suspension.wait(None)
    assert suspension.can_be_unwound
    assert slots.free == 1
    suspension.waited(None)
    await suspension.resume()

    assert changes == [True, False]
    assert slots.free == 0


async def test_a_turn_that_works_beside_a_wait_keeps_its_slot():
    slots, _ = slots_of(1)
    suspension = Suspension(taken(slots), changed=lambda _: None)

    await suspension.begin()
    suspension.wait(None)
    assert slots.free == 0
    suspension.end()
    await until(lambda: slots.free == 1, "the slot is given back")

    assert suspension.can_be_unwound


async def test_a_wait_inside_a_step_that_may_not_be_repeated_is_never_unwound():
    slots, _ = slots_of(1)
    suspension = Suspension(taken(slots), changed=lambda _: None)
    step = Scope(b"")

    await suspension.begin()
    suspension.wait(step)
    assert slots.free == 1
    assert not suspension.can_be_unwound
    suspension.waited(step)
    await suspension.resume()

    assert suspension.is_working


async def test_several_branches_that_go_on_take_one_slot():
    slots, _ = slots_of(1)
    suspension = Suspension(taken(slots), changed=lambda _: None)
    suspension.wait(None)
    suspension.wait(None)
    slots.take()

    resuming = [asyncio.ensure_future(suspension.resume()) for _ in range(2)]
    await turns()
    slots.give_back()
    await asyncio.gather(*resuming)

    assert slots.used == 1
