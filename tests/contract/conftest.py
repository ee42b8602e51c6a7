from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from agentopic.adapters.journal.memory import MemoryJournal, MemoryStore
from agentopic.ports.journal import Journal
from agentopic.testing.journal_mesh import JournalMesh, Member, journal_mesh


@pytest.fixture(
    params=[
        "memory",
        "sqlite",
        pytest.param("postgres", marks=pytest.mark.postgres),
        pytest.param("redis", marks=pytest.mark.redis),
    ]
)
def connect_journal(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Journal]:
    """Connections to one fresh store, each as from a process of its own."""
    if request.param == "memory":
        store = MemoryStore()
        return lambda: MemoryJournal(store)
    if request.param == "sqlite":
        from agentopic.adapters.journal.sqlite import SqliteJournal, SqliteOptions

        return lambda: SqliteJournal(SqliteOptions(path=tmp_path / "journal.db"))
    if request.param == "redis":
        from agentopic.adapters.journal.redis import RedisJournal, RedisOptions

        url: str = request.getfixturevalue("storing_redis_url")
        space: str = request.getfixturevalue("ns")
        return lambda: RedisJournal(RedisOptions(url=url, space=space))
    from agentopic.adapters.journal.postgres import PostgresJournal, PostgresOptions

    dsn: str = request.getfixturevalue("postgres_dsn")
    return lambda: PostgresJournal(PostgresOptions(dsn=dsn))


@pytest.fixture
async def mesh(connect_journal: Callable[[], Journal]) -> AsyncIterator[JournalMesh]:
    async with journal_mesh(connect_journal) as opened:
        yield opened


@pytest.fixture
async def member(mesh: JournalMesh) -> Member:
    return await mesh.join()
