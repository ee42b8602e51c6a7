"""Redis under fault: as the whole journal, and as a cache of states beside PostgreSQL."""

from __future__ import annotations

import asyncio

import pytest

from agentopic.testing import RedisServer
from agentopic.testing.proof import scale

from .conftest import Open
from .fleet import Fleet
from .outside import posts


@pytest.mark.timeout(1200)
async def test_kills_of_workers_and_of_a_redis_journal_lose_nothing(open_mesh: Open, redis_server: RedisServer) -> None:
    orders, kills = scale(200, 5000), scale(2, 20)
    calls = "0.2,0.5" if orders < 1000 else "0.05,0.2"
    with open_mesh(journal=redis_server.url, CHAOS_CALL_SECONDS=calls) as mesh:
        await mesh.staff(2)
        await mesh.publish(posts(range(orders)))
        for kill in range(kills):
            victim = next(each for each in mesh.fleet.workers if each.poll() is None)
            await mesh.fleet.kill(victim)
            mesh.fleet.start()
            if kill % 2:
                await _kill_journal(mesh.fleet, redis_server)

        verdict = await mesh.judge("kill -9, journal in Redis", seconds=600)

    assert verdict.dead == 0


async def _kill_journal(fleet: Fleet, server: RedisServer) -> None:
    await asyncio.to_thread(server.kill)
    for worker in [each for each in fleet.workers if each.poll() is None]:
        fleet.fault("journal killed", worker)
    await asyncio.sleep(0.5)  # the outage itself
    await asyncio.to_thread(server.start)


@pytest.mark.timeout(900)
async def test_a_cache_of_states_that_dies_costs_nothing(open_mesh: Open, redis_server: RedisServer) -> None:
    times = scale(1, 10)
    with open_mesh(AGENTOPIC_SNAPSHOT_CACHE=redis_server.url) as mesh:
        await mesh.staff(2)
        for each in range(times):
            await mesh.publish(posts(range(each * 200, (each + 1) * 200)))
            worker = next(worker for worker in mesh.fleet.workers if worker.poll() is None)
            await mesh.fleet.in_flight(worker)
            await asyncio.to_thread(redis_server.kill)
            mesh.fleet.fault("cache killed", hit=sorted(mesh.fleet.open_calls(worker)))
            # States go to another process while there is no cache, and again when there is an empty one.
            await mesh.fleet.kill(worker)
            await mesh.staff(1)
            await asyncio.to_thread(redis_server.start)

        verdict = await mesh.judge("state cache in Redis killed")

    assert verdict.dead == 0
