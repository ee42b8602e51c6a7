"""SIGKILL at each marked point on Kafka and PostgreSQL; one kept worker, and a victim per death."""

from __future__ import annotations

import asyncio

import pytest

from agentopic.testing.fault_points import POINTS
from agentopic.testing.proof import scale

from .conftest import Open
from .fleet import until
from .outside import posts

ORDERS = 24


@pytest.mark.timeout(1800)
async def test_a_process_killed_at_any_marked_point_breaks_nothing(open_mesh: Open) -> None:
    runs = scale(1, 5)
    struck: list[str] = []
    with open_mesh(CHAOS_CALL_SECONDS="0.05,0.3", CHAOS_CONCURRENCY="4") as mesh:
        await mesh.staff(1)
        published = 0
        for point in [each for each in POINTS for _ in range(runs)]:
            (victim,) = await mesh.staff(1, CHAOS_FAULT_POINT=f"{point}:{1 + published % 3}")
            for _ in range(4):
                await mesh.publish(posts(range(published, published + ORDERS)))
                published += ORDERS
                if await _ended(victim, 4.0):
                    struck.append(point)
                    break
            else:
                assert await mesh.fleet.retire(victim) == 0

        await mesh.judge("SIGKILL at the marked points", points=len(set(struck)), deaths=len(struck))

    assert set(struck) == set(POINTS), f"never reached: {set(POINTS) - set(struck)}"


async def _ended(victim, seconds: float) -> bool:
    try:
        await until(lambda: victim.poll() is not None, "the victim has died", seconds)
    except AssertionError:
        return False
    await asyncio.sleep(0)
    return True
