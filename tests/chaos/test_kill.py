"""kill -9 under load: nothing accepted is lost, nothing is answered twice, only open calls are paid again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agentopic.testing.proof import require, scale

from .conftest import Open
from .embedded import client, publish_embedded, read_embedded
from .failover import failover_seconds
from .fleet import LEASE_SECONDS, Fleet, until
from .outside import KEYS, posts

IN_FLIGHT = 64


@pytest.mark.timeout(900)
async def test_kills_under_a_backlog_lose_nothing_on_kafka_and_postgres(open_mesh: Open) -> None:
    orders, kills = scale(300, 10_000), scale(3, 50)
    calls = "0.2,0.5" if orders < 1000 else "0.05,0.2"
    with open_mesh(CHAOS_CALL_SECONDS=calls) as mesh:
        await mesh.staff(3)
        await mesh.publish(posts(range(orders)))
        for _ in range(kills):
            await mesh.fleet.kill(_oldest(mesh.fleet))
            mesh.fleet.start()

        await mesh.judge("kill -9, backlog, Kafka + PostgreSQL", seconds=600)


def _oldest(fleet: Fleet) -> Any:
    return next(each for each in fleet.workers if each.poll() is None)


@pytest.mark.timeout(1200)
async def test_killing_a_process_full_of_turns_gives_up_none_and_each_goes_on_within_a_lease_and_two_seconds(
    open_mesh: Open,
) -> None:
    kills, wave = scale(3, 50), 2 * IN_FLIGHT
    with open_mesh(CHAOS_CONCURRENCY=str(IN_FLIGHT), CHAOS_CALL_SECONDS="2.0,3.0") as mesh:
        await mesh.staff(2)
        for kill in range(kills):
            # Customers of their own: a turn that is hit twice would pass the gate of suspects, one after the other.
            orders = range(kill * wave, (kill + 1) * wave)
            await mesh.publish(posts(orders, keys=kills * wave))
            await mesh.fleet.kill(await _full(mesh.fleet))
            await mesh.staff(1)
            await until(lambda wanted=orders: _served(mesh.fleet) >= {f"order-{each}" for each in wanted}, "served", 90)
        await mesh.settle(300)
        gaps = failover_seconds(mesh.fleet.history.read())
        verdict = require(
            "external kills, 64 turns in flight",
            mesh.fleet.history.read(),
            turns_hit=len(gaps),
            longest_fail_over=round(max(gaps), 2),
        )

    assert verdict.dead == 0
    assert max(gaps) <= LEASE_SECONDS + 2.0


async def _full(fleet: Fleet) -> Any:
    living = [each for each in fleet.workers if each.poll() is None]
    await until(lambda: any(len(fleet.open_calls(each)) == IN_FLIGHT for each in living), "a worker is full")
    return max(living, key=lambda worker: len(fleet.open_calls(worker)))


def _served(fleet: Fleet) -> set[str]:
    return {each.subject for each in fleet.history.read() if each.operation == "turn" and each.phase == "ok"}


@pytest.mark.timeout(300)
async def test_a_kill_under_load_loses_nothing_on_the_embedded_log(ns: str, tmp_path: Path) -> None:
    orders = scale(100, 1000)
    database = f"sqlite:///{tmp_path}/mesh.db"
    with Fleet(tmp_path, transport=database, journal=database, namespace=ns) as fleet:
        victim, _ = fleet.start(), fleet.start()
        await fleet.ready(2)
        async with client(database, ns) as publisher:
            await publish_embedded(publisher, fleet, range(orders), keys=KEYS)
        await fleet.kill(victim)
        await read_embedded(database, ns, fleet, orders)

        require("kill -9, embedded (SQLite)", fleet.history.read())
