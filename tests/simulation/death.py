"""One death at a marked point: a process ends there, another one finishes what it left."""

from __future__ import annotations

import asyncio
from contextvars import Context
from dataclasses import dataclass

from agentopic.testing.fault_points import FaultPoint, FaultPoints
from agentopic.testing.history import in_flight
from agentopic.testing.simulation import World, simulate
from agentopic.testing.verdict import Verdict, judge

from .shop import PARTITIONS, Shop

ORDERS = 8
STILL_SECONDS = 3.0


@dataclass(frozen=True)
class Death:
    """What one run came to."""

    struck: bool
    verdict: Verdict


def death(point: FaultPoint, seed: int) -> Death:
    """Play one death to the end of everything that was accepted."""
    return simulate(seed, lambda world: _play(world, point, seed))


def standstill(point: FaultPoint, seed: int) -> Death:
    """Play a process that stands still past its lease at a point, and goes on where it was."""
    return simulate(seed, lambda world: _play(world, point, seed, dies=False))


def standstill_before_a_call(seed: int) -> Death:
    """Play a process that stands still between the intent of its only call and the last check before that call."""
    return simulate(seed, lambda world: _play(world, "after intent", seed, dies=False, orders=1))


async def _play(world: World, point: FaultPoint, seed: int, *, dies: bool = True, orders: int = ORDERS) -> Death:
    shop, struck = Shop(world), asyncio.Event()
    shop.tells_intentions = orders > 1  # several calls: one may be past its last check while another one is struck

    async def strike() -> None:
        hit = in_flight(shop.history.facts, "victim")
        shop.history.note("fault", "ok", point, process="victim", hit=[point, *hit])
        struck.set()
        if dies:
            world.loop.drop("victim")
            await asyncio.Event().wait()
        world.loop.freeze("victim")
        world.loop.call_later(STILL_SECONDS, lambda: world.loop.thaw("victim"), context=Context())  # the world's own
        await asyncio.sleep(0)

    points = FaultPoints(point, strike, nth=world.choice.randrange(1, 5) if orders > 1 else 1)
    await world.spawn("victim", shop.serve("victim", points))
    for number in range(orders):
        key = world.choice.choice("ab")
        shop.publish(number, key, [ord(key) % PARTITIONS] * world.choice.choice((1, 1, 2)))
        await asyncio.sleep(world.choice.random() * 0.2)
    await world.until(struck.is_set, 10)
    if dies:
        world.loop.drop("victim")
    await world.spawn("heir", shop.serve("heir"))
    if not dies:
        await asyncio.sleep(STILL_SECONDS)  # until it has gone on, and has done what it would
    done = await world.until(lambda: shop.is_done, 120)
    verdict = judge(f"{point}, seed {seed}", shop.drain())
    await asyncio.gather(*(world.spawn(each, shop.running[each].stop()) for each in ("heir", "victim")[: 2 - dies]))
    assert not shop.wrong, f"{verdict.name}: {shop.wrong}"
    assert done, f"{verdict.line()}; unfinished: {world.store.lanes}"
    return Death(struck.is_set(), verdict)
