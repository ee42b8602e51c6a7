"""Blobs in a table of a SQLite file, by default the journal's."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from agentopic.adapters.blobs.content_hash import checked_hash, content_hash, verified
from agentopic.adapters.transport.sqlite_gate import Gate
from agentopic.adapters.transport.sqlite_thread import CallThread
from agentopic.errors import BlobUnavailableError, UnreachableError

T = TypeVar("T")

_BUSY_SECONDS = 30.0
_CLOSE_SECONDS = 5.0
_TABLE = "CREATE TABLE IF NOT EXISTS blob (sha256 TEXT PRIMARY KEY, used_at REAL NOT NULL, data BLOB NOT NULL)"
_INDEX = "CREATE INDEX IF NOT EXISTS blob_used ON blob (used_at)"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Open:
    thread: CallThread
    gate: Gate
    connection: sqlite3.Connection


class SqliteBlobs:
    """The blob port over one file, with a connection and a thread of its own; writes pass the gate of the file."""

    def __init__(self, path: Path, now: Callable[[], float] = time.time) -> None:
        self._path, self._now = path, now
        self._open: _Open | None = None

    async def start(self) -> None:
        """Open the file and make the table.

        Raises:
            UnreachableError: the file cannot be opened or is no database.
        """
        if self._open is not None:
            return
        thread = CallThread("sqlite-blobs")
        try:
            self._open = await thread.run(lambda: self._connect(thread))
        except (sqlite3.Error, OSError) as exc:
            raise UnreachableError(f"the SQLite file {self._path} cannot be used: {exc}") from exc
        finally:
            if self._open is None:
                await thread.aclose(_CLOSE_SECONDS)

    def _connect(self, thread: CallThread) -> _Open:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        gate = Gate(self._path)
        try:
            with gate.held():
                connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None)
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute(_TABLE)
                connection.execute(_INDEX)
        except BaseException:
            gate.close()
            raise
        return _Open(thread=thread, gate=gate, connection=connection)

    async def put(self, data: bytes) -> str:
        """Store bytes durably and return their hash."""
        sha256 = content_hash(data)
        await self._write(
            "INSERT INTO blob VALUES (?, ?, ?) ON CONFLICT (sha256) DO UPDATE SET used_at = excluded.used_at",
            [(sha256, self._now(), data)],
        )
        return sha256

    async def get(self, sha256: str) -> bytes:
        """Return the bytes of a hash, verified."""
        rows = await self._read("SELECT data FROM blob WHERE sha256 = ?", checked_hash(sha256))
        return verified(sha256, rows[0][0] if rows else None, str(self._path))

    async def touch(self, hashes: Sequence[str]) -> None:
        """Make the age of these blobs zero."""
        now = self._now()
        await self._write("UPDATE blob SET used_at = ? WHERE sha256 = ?", [(now, each) for each in hashes])

    async def unused(self, older_than_seconds: float, limit: int) -> Sequence[str]:
        """Return hashes of blobs at least this old, oldest first."""
        query = "SELECT sha256 FROM blob WHERE used_at <= ? ORDER BY used_at LIMIT ?"
        rows = await self._read(query, self._now() - older_than_seconds, limit)
        return [sha256 for (sha256,) in rows]

    async def discard(self, hashes: Sequence[str], older_than_seconds: float) -> int:
        """Delete those of these blobs that are still at least this old."""
        horizon = self._now() - older_than_seconds
        return await self._write(
            "DELETE FROM blob WHERE sha256 = ? AND used_at <= ?", [(each, horizon) for each in hashes]
        )

    async def aclose(self) -> None:
        """Close the file and end the thread."""
        opened, self._open = self._open, None
        if opened is not None:
            opened.thread.post(lambda: _disconnect(opened))
            await opened.thread.aclose(_CLOSE_SECONDS)

    async def _write(self, statement: str, rows: Sequence[tuple[object, ...]]) -> int:
        def write(opened: _Open) -> int:
            with opened.gate.held():
                opened.connection.execute("BEGIN IMMEDIATE")
                try:
                    changed = opened.connection.executemany(statement, rows).rowcount
                    opened.connection.execute("COMMIT")
                finally:
                    if opened.connection.in_transaction:
                        opened.connection.execute("ROLLBACK")
            return max(0, changed)

        return await self._run(write)

    async def _read(self, query: str, *values: object) -> Sequence[tuple[Any, ...]]:
        return await self._run(lambda opened: opened.connection.execute(query, values).fetchall())

    async def _run(self, call: Callable[[_Open], T]) -> T:
        opened = self._open
        if opened is None:
            raise BlobUnavailableError(f"the blob table in {self._path} is not open")
        try:
            return await opened.thread.run(lambda: call(opened))
        except (sqlite3.Error, OSError) as exc:
            raise BlobUnavailableError(f"the blob table in {self._path} failed: {exc}") from exc


def _disconnect(opened: _Open) -> None:
    with opened.gate.held():
        opened.connection.close()
    opened.gate.close()
