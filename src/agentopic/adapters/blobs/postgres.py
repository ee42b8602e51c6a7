"""Blobs in a table of a PostgreSQL database, by default beside the journal's tables."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from agentopic.adapters.blobs.content_hash import checked_hash, content_hash, verified
from agentopic.adapters.journal.postgres.link import Link, Row
from agentopic.adapters.journal.postgres.options import PostgresOptions
from agentopic.errors import BlobUnavailableError, JournalError, UnreachableError

# Of several processes that start together one makes the table: CREATE ... IF NOT EXISTS alone fails in a race.
_PREPARE = """
DO $$ BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('agentopic blobs {schema}'));
    IF to_regclass('{schema}.blob') IS NULL THEN
        CREATE SCHEMA IF NOT EXISTS {schema};
        CREATE TABLE {schema}.blob (sha256 text PRIMARY KEY, used_at timestamptz NOT NULL, data bytea NOT NULL);
        -- Read whole or not at all, and often compressed by its sender already.
        ALTER TABLE {schema}.blob ALTER COLUMN data SET STORAGE EXTERNAL;
        CREATE INDEX blob_used ON {schema}.blob (used_at);
    END IF;
END $$
"""
_PUT = """
INSERT INTO blob VALUES ($1, clock_timestamp(), $2)
ON CONFLICT (sha256) DO UPDATE SET used_at = excluded.used_at
"""
_TOUCH = "UPDATE blob SET used_at = clock_timestamp() WHERE sha256 = ANY ($1::text[])"
_OLD = "used_at <= clock_timestamp() - make_interval(secs => $1::float8)"
_UNUSED = f"SELECT sha256 FROM blob WHERE {_OLD} ORDER BY used_at LIMIT $2"  # noqa: S608 - constants
_DISCARD = f"DELETE FROM blob WHERE {_OLD} AND sha256 = ANY ($2::text[]) RETURNING sha256"  # noqa: S608 - constants


class PostgresBlobs:
    """The blob port over a table `blob`, with a connection of its own that is opened at the first call."""

    def __init__(self, options: PostgresOptions) -> None:
        self._options = options
        self._link = Link(options)

    async def start(self) -> None:
        """Make the table where there is none.

        Raises:
            UnreachableError: the database does not answer, or does not allow it.
        """
        try:
            await self._link.call(_PREPARE.format(schema=self._options.schema))
        except JournalError as exc:
            raise UnreachableError(f"the blob table at {self._options.place} cannot be made: {exc}") from exc

    async def put(self, data: bytes) -> str:
        """Store bytes durably and return their hash."""
        sha256 = await asyncio.to_thread(content_hash, data)
        await self._call(_PUT, sha256, data)
        return sha256

    async def get(self, sha256: str) -> bytes:
        """Return the bytes of a hash, verified."""
        rows = await self._call("SELECT data FROM blob WHERE sha256 = $1", checked_hash(sha256))
        return verified(sha256, rows[0][0] if rows else None, self._options.place)

    async def touch(self, hashes: Sequence[str]) -> None:
        """Make the age of these blobs zero."""
        await self._call(_TOUCH, list(hashes))

    async def unused(self, older_than_seconds: float, limit: int) -> Sequence[str]:
        """Return hashes of blobs at least this old, oldest first."""
        return [row[0] for row in await self._call(_UNUSED, older_than_seconds, limit)]

    async def discard(self, hashes: Sequence[str], older_than_seconds: float) -> int:
        """Delete those of these blobs that are still at least this old."""
        return len(await self._call(_DISCARD, older_than_seconds, list(hashes)))

    async def aclose(self) -> None:
        """Disconnect."""
        await self._link.aclose()

    async def _call(self, query: str, *values: object) -> Sequence[Row]:
        try:
            return await self._link.call(query, *values)
        except JournalError as exc:
            raise BlobUnavailableError(f"the blob table at {self._options.place} failed: {exc}") from exc
