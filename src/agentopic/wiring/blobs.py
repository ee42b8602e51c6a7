"""Blob stores by URL: a directory, SQLite, PostgreSQL, memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from weakref import WeakValueDictionary

from agentopic.errors import ConfigError
from agentopic.settings import Settings
from agentopic.wiring.choice import chosen, extra, shared, sqlite_path

if TYPE_CHECKING:
    from agentopic.adapters.blobs.memory import MemoryBlobs
    from agentopic.ports.blobs import Blobs

_shared_blobs: WeakValueDictionary[str, MemoryBlobs] = WeakValueDictionary()


def blobs_of(url: str) -> Blobs:
    """Return the blob store of a URL; raises as `transport_of`."""
    return chosen("AGENTOPIC_BLOBS", url, _BLOBS)(url)


def blobs_beside(settings: Settings) -> Blobs | None:
    """Return the blob store of the settings; without one, the one beside their journal, if it can be there."""
    if settings.blobs is not None:
        return blobs_of(settings.blobs)
    # Beside the journal: a client of a Kafka mesh may have none, and not every journal has room for blobs.
    beside = settings.journal or settings.transport
    return blobs_of(beside) if beside.partition("://")[0].lower() in _BLOBS else None


def _memory_blobs(url: str) -> Blobs:
    from agentopic.adapters.blobs.memory import MemoryBlobs

    return shared(_shared_blobs, url, MemoryBlobs)


def _directory_blobs(url: str) -> Blobs:
    from agentopic.adapters.blobs.directory import DirectoryBlobs

    parts = urlsplit(url)
    if parts.netloc not in {"", "localhost"} or not parts.path.strip("/"):
        raise ConfigError(f"AGENTOPIC_BLOBS={url!r} names no directory: write file:///absolute/directory")
    return DirectoryBlobs(Path(unquote(parts.path)))


def _sqlite_blobs(url: str) -> Blobs:
    from agentopic.adapters.blobs.sqlite import SqliteBlobs

    return SqliteBlobs(sqlite_path("AGENTOPIC_BLOBS", url))


def _postgres_blobs(url: str) -> Blobs:
    with extra("a postgresql:// blob store", "postgres", ("asyncpg",)):
        from agentopic.adapters.blobs.postgres import PostgresBlobs
        from agentopic.adapters.journal.postgres import PostgresOptions
    return PostgresBlobs(PostgresOptions(dsn=url))


_BLOBS: dict[str, Callable[[str], Blobs]] = {
    "file": _directory_blobs,
    "sqlite": _sqlite_blobs,
    "postgresql": _postgres_blobs,
    "postgres": _postgres_blobs,
    "memory": _memory_blobs,
}
