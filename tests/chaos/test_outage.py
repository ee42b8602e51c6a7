"""Broker and database die, restart, forget; clocks jump: work stands still, nothing is lost or done twice."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from agentopic.testing import KafkaServer, PostgresServer
from agentopic.testing.history import Fact
from agentopic.testing.proof import require, scale

from .asking import ask_all
from .conftest import Open
from .fleet import LEASE_SECONDS, until
from .outside import Post, posts


@pytest.mark.timeout(900)
async def test_a_broker_that_dies_and_comes_back_costs_time_alone(open_mesh: Open, kafka_server: KafkaServer) -> None:
    outages = scale(1, 10)
    with open_mesh(broker=kafka_server.bootstrap) as mesh:
        workers = await mesh.staff(2)
        for outage in range(outages):
            await mesh.publish(posts(range(outage * 150, (outage + 1) * 150)))
            await mesh.fleet.in_flight(workers[0])
            await asyncio.to_thread(kafka_server.kill)
            mesh.fleet.fault("broker killed", hit=[call for each in workers for call in mesh.fleet.open_calls(each)])
            await asyncio.sleep(2.0)  # the outage itself
            await asyncio.to_thread(kafka_server.start)

        verdict = await mesh.judge("broker restart", seconds=180)

    assert verdict.repaid == 0


@pytest.mark.timeout(900)
async def test_a_database_that_dies_and_comes_back_costs_time_alone(
    open_mesh: Open, postgres_server: PostgresServer
) -> None:
    outages = scale(1, 20)
    with open_mesh(journal=postgres_server.dsn) as mesh:
        workers = await mesh.staff(2)
        for outage in range(outages):
            await mesh.publish(posts(range(outage * 150, (outage + 1) * 150)))
            await mesh.fleet.in_flight(workers[0])
            await asyncio.to_thread(postgres_server.kill)
            for worker in workers:
                mesh.fleet.fault("database killed", worker)
            await asyncio.sleep(LEASE_SECONDS + 1.0 if outage % 2 else 0.5)  # the outage itself
            await asyncio.to_thread(postgres_server.start)

        await mesh.judge("PostgreSQL restart", seconds=180, restarts=outages)
        assert all(each.poll() is None for each in workers), "a worker ended instead of waiting"


@pytest.mark.timeout(600)
async def test_a_journal_that_forgets_its_last_moments_loses_nothing(
    open_mesh: Open, postgres_server: PostgresServer
) -> None:
    with open_mesh(journal=postgres_server.dsn) as mesh:
        workers = await mesh.staff(2)
        await mesh.publish(posts(range(100)))
        await mesh.fleet.in_flight(workers[0])
        await asyncio.to_thread(_snapshot, postgres_server)
        await mesh.publish(posts(range(100, 200)))
        await asyncio.sleep(1.5)  # moments that will be forgotten
        await asyncio.to_thread(postgres_server.kill)
        for worker in workers:
            mesh.fleet.fault("journal gone back", worker)
        await asyncio.to_thread(_restore, postgres_server)
        await asyncio.to_thread(postgres_server.start)
        await mesh.settle(180)
        facts = mesh.fleet.history.read()

    settled = {each.subject for each in facts if each.operation == "output"}
    # What was paid in the forgotten moments is paid again, and published again under the same id.
    kept = [each for each in facts if each.operation != "call" or each.phase != "invoke"]
    begun = [each.subject for each in facts if each.operation == "call" and each.phase == "invoke"]
    assert len(settled) == 200, "something accepted was lost"
    ids = {(each.subject, each.id) for each in facts if each.operation == "output"}
    assert len(ids) == 200, "an event of the forgotten moments was published again under another id"
    once = [each for each in kept if each.operation != "output"] + _first(facts)
    require("PostgreSQL gone back in time", once, paid_again=len(begun) - len(set(begun)))


def _first(facts: Sequence[Fact]) -> list[Fact]:
    """Return each output once, as a receiver that drops repeated ids keeps them."""
    return list({each.id: each for each in reversed(facts) if each.operation == "output"}.values())[::-1]


def _snapshot(server: PostgresServer) -> None:
    """Copy the data of a stopped-still server, as a disk snapshot would."""
    server.pause()
    try:
        shutil.copytree(server.directory / "data", server.directory / "snapshot")
    finally:
        server.resume()


def _restore(server: PostgresServer) -> None:
    data, copy = server.directory / "data", server.directory / "snapshot"
    owner = data.stat()
    shutil.rmtree(data)
    copy.rename(data)
    (data / "postmaster.pid").unlink(missing_ok=True)
    for path in (data, *data.rglob("*")):
        shutil.chown(path, owner.st_uid, owner.st_gid)
    data.chmod(0o700)


@pytest.mark.timeout(300)
async def test_clocks_that_jump_by_an_hour_decide_nothing(open_mesh: Open, postgres_dsn: str, tmp_path: Path) -> None:
    orders, questions, clock = scale(150, 1000), scale(40, 400), tmp_path / "clock"
    clock.write_text("0")
    with open_mesh() as mesh:
        wrong, right = await mesh.staff(1, CHAOS_CLOCK=str(clock)) + await mesh.staff(1)
        await mesh.publish(Post(each.number, each.key, does=_deed(each.number)) for each in posts(range(orders)))
        asking = asyncio.create_task(ask_all(mesh, postgres_dsn, range(questions)))
        for seconds in (3600, -3600, 0, 7200):
            await until(lambda: bool(mesh.fleet.open_calls(wrong)), "the worker with the wrong clock is at work")
            clock.write_text(str(seconds))
            mesh.fleet.fault("clock step", hit=sorted(mesh.fleet.open_calls(wrong)))
            await asyncio.sleep(0.5)  # it works with the wrong time for a while
        await asking

        verdict = await mesh.judge("clock steps of an hour", requests=questions)
        assert right.poll() is None
        assert wrong.poll() is None

    assert verdict.repaid == 0
    assert verdict.dead == 0, "a timer, a request or a lease believed the wrong clock"


def _deed(number: int) -> str:
    """Some orders sleep by the journal's clock before they are served."""
    return "sleep" if number % 5 == 0 else ""
