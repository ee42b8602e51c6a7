"""One death at a marked point: a process ends there, another one finishes what it left."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from agentopic.testing.fault_points import FaultPoint, FaultPoints
from agentopic.testing.history import in_flight
from agentopic.testing.simulation import World, simulate
from agentopic.testing.verdict import Verdict, judge

from .shop import PARTITIONS, Shop

ORDERS = 8


@dataclass(frozen=True)
class Death:
    """What one run came to."""

    struck: bool
    verdict: Verdict


def death(point: FaultPoint, seed: int) -> Death:
    """Play one death to the end of everything that was accepted."""
    return simulate(seed, lambda world: _play(world, point, seed))


async def _play(world: World, point: FaultPoint, seed: int) -> Death:
    shop, struck = Shop(world), asyncio.Event()

    async def strike() -> None:
        hit = in_flight(shop.history.facts, "victim")
        shop.history.note("fault", "ok", point, process="victim", hit=[point, *hit])
        world.loop.drop("victim")
        struck.set()
        await asyncio.Event().wait()

    points = FaultPoints(point, strike, nth=world.choice.randrange(1, 5))
    await world.spawn("victim", shop.serve("victim", points))
    for number in range(ORDERS):
        key = world.choice.choice("ab")
        shop.publish(number, key, [ord(key) % PARTITIONS] * world.choice.choice((1, 1, 2)))
        await asyncio.sleep(world.choice.random() * 0.2)
    await world.until(struck.is_set, 10)
    world.loop.drop("victim")
    await world.spawn("heir", shop.serve("heir"))
    done = await world.until(lambda: shop.is_done, 120)
    verdict = judge(f"{point}, seed {seed}", shop.drain())
    await world.spawn("heir", shop.running["heir"].stop())
    assert not shop.premature, f"{verdict.name}: published before their commit: {shop.premature}"
    assert done, f"{verdict.line()}; unfinished: {world.store.lanes}"
    return Death(struck.is_set(), verdict)
