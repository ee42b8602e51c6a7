"""Journals by URL: SQLite, PostgreSQL, Redis, memory; a snapshot cache before them where one is set."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from agentopic.concealment import masked
from agentopic.errors import ConfigError
from agentopic.settings import Settings
from agentopic.wiring.choice import chosen, extra, require_redis, shared, sqlite_path

if TYPE_CHECKING:
    from agentopic.adapters.journal.memory import MemoryStore
    from agentopic.adapters.journal.migrated import Migrated
    from agentopic.ports.journal import Journal

_shared_stores: WeakValueDictionary[str, MemoryStore] = WeakValueDictionary()


def journal_of(url: str) -> Journal:
    """Return the journal of a URL; raises as `transport_of`."""
    return chosen("AGENTOPIC_JOURNAL", url, _JOURNALS)(url)


async def migrate_journal(url: str, *, rehearse: bool = False) -> Migrated:
    """Bring the tables of a SQLite or PostgreSQL journal to this version; with `rehearse` only say what that changes.

    Raises:
        ConfigError: the URL is not understood, this kind of journal has no tables, or those it has are newer.
        UnreachableError: the journal does not answer.
    """
    chosen("AGENTOPIC_JOURNAL", url, _JOURNALS)
    scheme = url.partition("://")[0].lower()
    if scheme == "sqlite":
        from agentopic.adapters.journal import sqlite

        path = sqlite_path("AGENTOPIC_JOURNAL", url)
        return await sqlite.migrate(sqlite.SqliteOptions(path=path), rehearse=rehearse)
    if scheme in {"postgresql", "postgres"}:
        with extra("a postgresql:// journal", "postgres", ("asyncpg",)):
            from agentopic.adapters.journal import postgres
        return await postgres.migrate(postgres.PostgresOptions(dsn=url), rehearse=rehearse)
    raise ConfigError(f"AGENTOPIC_JOURNAL={masked(url)!r} has no tables to migrate: {scheme}:// journals need none")


def journal_with_cache(settings: Settings) -> Journal:
    """Return the journal of the settings, read through their snapshot cache if they name one."""
    journal, cache = journal_of(settings.journal_url()), settings.snapshot_cache
    if cache is None:
        return journal
    require_redis("AGENTOPIC_SNAPSHOT_CACHE", cache)
    with extra("a redis:// snapshot cache", "redis", ("redis",)):
        from agentopic.adapters.journal.cached import cached
        from agentopic.adapters.journal.redis.snapshots import RedisSnapshots
    return cached(journal, RedisSnapshots(cache, namespace=settings.namespace))


def _memory_journal(url: str) -> Journal:
    from agentopic.adapters.journal.memory import MemoryJournal, MemoryStore

    return MemoryJournal(shared(_shared_stores, url, MemoryStore))


def _sqlite_journal(url: str) -> Journal:
    from agentopic.adapters.journal.sqlite import SqliteJournal, SqliteOptions

    return SqliteJournal(SqliteOptions(path=sqlite_path("AGENTOPIC_JOURNAL", url)))


def _postgres_journal(url: str) -> Journal:
    with extra("a postgresql:// journal", "postgres", ("asyncpg",)):
        from agentopic.adapters.journal.postgres import PostgresJournal, PostgresOptions
    return PostgresJournal(PostgresOptions(dsn=url))


def _redis_journal(url: str) -> Journal:
    with extra("a redis:// journal", "redis", ("redis",)):
        from agentopic.adapters.journal.redis import RedisJournal, RedisOptions
    return RedisJournal(RedisOptions(url=url))


_JOURNALS: dict[str, Callable[[str], Journal]] = {
    "sqlite": _sqlite_journal,
    "postgresql": _postgres_journal,
    "postgres": _postgres_journal,
    **dict.fromkeys(("redis", "rediss"), _redis_journal),
    "memory": _memory_journal,
}
