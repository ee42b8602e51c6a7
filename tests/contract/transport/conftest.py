from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from agentopic.adapters.transport.kafka import KafkaTransport
from agentopic.adapters.transport.kafka_admin import KafkaAdmin
from agentopic.adapters.transport.kafka_options import KafkaOptions
from agentopic.adapters.transport.memory import MemoryAdmin, MemoryTransport
from agentopic.adapters.transport.memory_log import MemoryLog
from agentopic.adapters.transport.sqlite import SqliteAdmin, SqliteTransport
from agentopic.adapters.transport.sqlite_session import SqliteTransportOptions
from agentopic.ports.admin import TopicAdmin
from agentopic.ports.transport import Transport
from agentopic.testing.log_mesh import LogMesh

Ends = tuple[Callable[..., Transport], Callable[[], TopicAdmin]]


@pytest.fixture(params=["memory", "sqlite", pytest.param("kafka", marks=pytest.mark.kafka)])
def log_ends(request: pytest.FixtureRequest, tmp_path: Path) -> Ends:
    """How transports and admins of one fresh log are made."""
    if request.param == "memory":
        log = MemoryLog()
        return lambda **options: MemoryTransport(log, **options), lambda: MemoryAdmin(log)
    if request.param == "sqlite":
        path = tmp_path / "mesh" / "log.db"
        return _sqlite(path)
    return _kafka(request.getfixturevalue("kafka"))


def _sqlite(path: Path) -> Ends:
    def transport(**options: Any) -> Transport:
        return SqliteTransport(SqliteTransportOptions(path=path, **options))

    return transport, lambda: SqliteAdmin(SqliteTransportOptions(path=path))


def _kafka(bootstrap: str) -> Ends:
    def transport(**options: Any) -> Transport:
        return KafkaTransport(KafkaOptions(bootstrap=bootstrap, **options))

    return transport, lambda: KafkaAdmin(KafkaOptions(bootstrap=bootstrap))


@pytest.fixture
async def log(log_ends: Ends, ns: str) -> AsyncIterator[LogMesh]:
    opened = LogMesh(ns, *log_ends)
    yield opened
    async with asyncio.timeout(30):
        await opened.__aexit__(None, None, None)
