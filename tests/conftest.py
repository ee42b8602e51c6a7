"""Fixtures of every suite: the test bed's servers, a namespace per test, one loud line for a gap."""

from __future__ import annotations

import re
import signal
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from redis import Redis

from agentopic.errors import BedUnavailableError
from agentopic.testing import KafkaServer, PostgresServer, RedisServer, fresh_database
from agentopic.testing.bed import Bed

_GAPS = pytest.StashKey[dict[str, str]]()
_GAP = re.compile(r"no (kafka|postgres|redis|storing_redis): (.*?)['\"]?\)?$", re.DOTALL)
_SERVER_MARKERS = {
    "kafka": "kafka",
    "postgres_dsn": "postgres",
    "postgres_server": "postgres",
    "redis_url": "redis",
    "storing_redis_url": "redis",
    "redis_server": "redis",
}


@pytest.fixture(scope="session")
def bed() -> Iterator[Bed]:
    with Bed() as servers:
        yield servers


@pytest.fixture(scope="session")
def bed_address(bed: Bed, pytestconfig: pytest.Config) -> Callable[[str], str]:
    """Return a server's address, or leave the test out loudly; with CI set, fail."""
    gaps = pytestconfig.stash[_GAPS]

    def address(server: str) -> str:
        if server not in gaps:
            try:
                return str(getattr(bed, server))
            except BedUnavailableError as error:
                gaps[server] = str(error)
        if bed.ci:
            pytest.fail(f"{server} is part of every CI run: {gaps[server]}", pytrace=False)
        pytest.skip(f"no {server}: {gaps[server]}")

    return address


@pytest.fixture
def kafka(bed_address: Callable[[str], str]) -> str:
    """Bootstrap address of the session's real broker; use `ns` in every topic and group name."""
    return bed_address("kafka")


@pytest.fixture
async def kafka_server(kafka: str) -> AsyncIterator[KafkaServer]:
    """A running broker of this test alone, to be killed, paused and restarted."""
    async with KafkaServer() as server:
        yield server


@pytest.fixture
async def postgres_server() -> AsyncIterator[PostgresServer]:
    """A running PostgreSQL of this test alone, to be killed, paused and restarted."""
    async with PostgresServer(fsync=False) as server:
        yield server


@pytest.fixture
async def redis_server() -> AsyncIterator[RedisServer]:
    """A running Redis of this test alone that keeps acknowledged writes, to be killed and restarted."""
    async with RedisServer(append_only=True) as server:
        yield server


@pytest.fixture
async def postgres_dsn(bed_address: Callable[[str], str], ns: str) -> AsyncIterator[str]:
    """DSN of a database of this test alone."""
    async with fresh_database(bed_address("postgres"), ns) as dsn:
        yield dsn


@pytest.fixture
def redis_url(bed: Bed, bed_address: Callable[[str], str]) -> str:
    """URL of an empty Redis; a server of someone else is not emptied, so use `ns` in every key."""
    url = bed_address("redis")
    if bed.owns_redis:
        with Redis.from_url(url) as client:
            client.flushall()
    return url


@pytest.fixture
def storing_redis_url(bed_address: Callable[[str], str]) -> str:
    """URL of the session's Redis that stores what it acknowledges; use `ns` in every key."""
    return bed_address("storing_redis")


@pytest.fixture
def ns() -> str:
    """A namespace of this test alone, fit for topic, database and key names."""
    return f"t{uuid.uuid4().hex[:12]}"


def pytest_configure(config: pytest.Config) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # Started in the background of a shell: programs under test would inherit that and never be interrupted.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.stash[_GAPS] = {}


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name long binary parameters after their argument: what they hold may differ from run to run, as in gzip."""
    return argname if isinstance(val, bytes) and len(val) > 16 else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for fixture, marker in _SERVER_MARKERS.items():
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(marker)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    # From the reports, not from the stash: with several workers the gaps were found elsewhere.
    found = [_GAP.search(str(report.longrepr)) for report in terminalreporter.getreports("skipped")]
    gaps = Counter((match[1], match[2]) for match in found if match is not None)
    for (server, reason), count in gaps.items():
        terminalreporter.write_line(f"LEFT OUT: {count} tests, for want of {server}: {reason}", red=True, bold=True)
