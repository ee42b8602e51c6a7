"""No room on the disk: under a worker's own files, PostgreSQL's tables, its log, and Kafka's; then there is again."""

from __future__ import annotations

import asyncio
import resource
import shutil
import signal
import socket
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from agentopic.testing import KafkaServer, PostgresServer
from agentopic.testing.environment import read_environment
from agentopic.testing.proof import require, scale
from agentopic.testing.server import LocalServer

from .conftest import Open
from .embedded import client, publish_embedded, read_embedded
from .fleet import LEASE_SECONDS, Fleet, until
from .outside import posts
from .shop_mesh import Mesh
from .small_disk import NoSmallDiskError, SmallDisk, small_disk

FULL_SECONDS = LEASE_SECONDS + 1.0


@contextmanager
def disk_under(server: LocalServer, folder: str, megabytes: int) -> Generator[SmallDisk]:
    """A small disk; without the right to mount one the test is left out, with CI set it fails."""
    try:
        with small_disk(server, server.directory / folder, megabytes) as disk:
            yield disk
    except NoSmallDiskError as exc:
        if read_environment().ci:
            raise
        pytest.skip(f"no small disk: mounting one needs root or sudo without a password: {exc}")


@pytest.mark.timeout(300)
async def test_a_full_disk_stops_work_until_there_is_room_again(ns: str, tmp_path: Path) -> None:
    orders, database = 120, f"sqlite:///{tmp_path}/mesh.db"
    with Fleet(tmp_path, transport=database, journal=database, namespace=ns) as fleet:
        worker = fleet.start()
        await fleet.ready(1)
        async with client(database, ns) as publisher:
            await publish_embedded(publisher, fleet, range(orders), keys=10)
        await fleet.in_flight(worker)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        _, hard = resource.prlimit(worker.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (1, hard))
        fleet.fault("disk full", worker)
        await asyncio.sleep(3.0)  # the fault itself
        resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (hard, hard))
        await read_embedded(database, ns, fleet, orders)
        assert worker.poll() is None, "the worker ended instead of waiting"

        require("disk full, embedded (SQLite)", fleet.history.read())


@pytest.mark.timeout(600)
async def test_tables_that_cannot_grow_stop_work_until_there_is_room_again(
    open_mesh: Open, postgres_server: PostgresServer
) -> None:
    times = scale(1, 5)
    await asyncio.to_thread(_move_log, postgres_server)
    with disk_under(postgres_server, "data", 96) as disk, open_mesh(journal=postgres_server.dsn) as mesh:
        workers = await mesh.staff(2)
        for each in range(times):
            await mesh.publish(posts(range(each * 150, (each + 1) * 150)))
            await mesh.fleet.in_flight(workers[0])
            refused = _refusals(postgres_server)
            await _full(mesh, disk, "tables full")
            await until(lambda before=refused: _refusals(postgres_server) > before, "PostgreSQL finds no room")
            await asyncio.sleep(FULL_SECONDS)  # the fault itself
            disk.make_room()

        await mesh.judge("disk full under PostgreSQL's tables", seconds=180, refusals=_refusals(postgres_server))
        assert all(each.poll() is None for each in workers), "a worker ended instead of waiting"


def _move_log(server: PostgresServer) -> None:
    """Put the write-ahead log where there is room."""
    server.stop()
    log, away = server.directory / "data" / "pg_wal", server.directory / "wal"
    shutil.move(log, away)
    log.symlink_to(away)
    server.start()


def _refusals(server: LocalServer) -> int:
    return server.log.count("No space left on device")


@pytest.mark.timeout(600)
async def test_a_database_that_dies_for_want_of_room_costs_time_alone(
    open_mesh: Open, postgres_server: PostgresServer
) -> None:
    with disk_under(postgres_server, "data", 192) as disk, open_mesh(journal=postgres_server.dsn) as mesh:
        workers = await mesh.staff(2)
        await mesh.publish(posts(range(150)))
        await mesh.fleet.in_flight(workers[0])
        await _full(mesh, disk, "log full")
        await _use_up_the_log(postgres_server)
        await until(lambda: not _answers(postgres_server), "PostgreSQL has given up")
        await asyncio.sleep(1.0)  # the outage itself
        disk.make_room()
        await _restart(postgres_server)

        await mesh.judge("disk full under PostgreSQL's log", seconds=180)
        assert all(each.poll() is None for each in workers), "a worker ended instead of waiting"


async def _use_up_the_log(server: PostgresServer) -> None:
    """Begin segment after segment of the write-ahead log, as hours of work would."""
    for _ in range(20):
        try:
            connection = await asyncpg.connect(server.dsn, timeout=5.0)
            try:
                await connection.execute("SELECT pg_logical_emit_message(false, 'work', 'more'), pg_switch_wal()")
            finally:
                connection.terminate()
        except (asyncpg.PostgresError, OSError, TimeoutError):
            return  # it is dying


@pytest.mark.timeout(600)
async def test_a_broker_without_room_costs_time_alone(open_mesh: Open, kafka_server: KafkaServer) -> None:
    with disk_under(kafka_server, "data", 64) as disk, open_mesh(broker=kafka_server.bootstrap) as mesh:
        workers = await mesh.staff(2)
        await mesh.publish(posts(range(150)))
        await mesh.fleet.in_flight(workers[0])
        await _full(mesh, disk, "broker full")
        await until(lambda: _has_no_room(kafka_server), "Kafka finds no room")
        await asyncio.sleep(FULL_SECONDS)  # the fault itself
        disk.make_room()
        # A broker never takes a log back that has failed it: whoever has made room starts it again.
        await _restart(kafka_server)

        verdict = await mesh.judge("disk full under Kafka", seconds=180)
        assert all(each.poll() is None for each in workers), "a worker ended instead of waiting"

    assert verdict.repaid == 0


def _has_no_room(server: KafkaServer) -> bool:
    return _refusals(server) > 0 or "unsafe memory access" in server.log or not _answers(server)


async def _full(mesh: Mesh, disk: SmallDisk, name: str) -> None:
    """Fill the disk; the calls that are open meanwhile are hit."""
    await asyncio.to_thread(disk.fill)
    for worker in mesh.fleet.workers:
        mesh.fleet.fault(name, worker)


async def _restart(server: LocalServer) -> None:
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)


def _answers(server: LocalServer) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", server.port)) == 0
