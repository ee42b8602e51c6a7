"""The tables and functions in the database: created or brought up to this version at start."""

from __future__ import annotations

import hashlib
from importlib.resources import files

import asyncpg

from agentopic.errors import ConfigError

VERSION = 1
_TABLES = "tables.sql"
_FUNCTIONS = ("membership.sql", "intake.sql", "take.sql", "commit.sql", "steps.sql", "sweep.sql")


async def prepare(connection: asyncpg.Connection[asyncpg.Record], schema: str) -> None:
    """Create what is missing, under a lock: of several processes that start together one does it.

    Functions are replaced when their text differs from what is stored; tables change with `VERSION` alone.

    Raises:
        ConfigError: the stored schema is newer than this program.
    """
    functions = "\n".join(_text(name) for name in _FUNCTIONS)
    digest = hashlib.sha256(functions.encode()).hexdigest()
    if await _stored(connection, schema) == (VERSION, digest):
        return
    # A lock of the session, not of the transaction: one taken inside would be waited for with the catalogue as it
    # was before, and the tables that the first process made would be made again.
    lock = f"agentopic schema {schema}"
    await connection.execute("SELECT pg_advisory_lock(hashtext($1))", lock)
    try:
        async with connection.transaction():
            await _create(connection, schema, functions, digest)
    finally:
        await connection.execute("SELECT pg_advisory_unlock(hashtext($1))", lock)


async def _create(connection: asyncpg.Connection[asyncpg.Record], schema: str, functions: str, digest: str) -> None:
    stored = await _stored(connection, schema)
    if stored is None:
        await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        await connection.execute(_text(_TABLES))
        await connection.execute("CREATE TABLE version (number integer, functions text)")
        await connection.execute("INSERT INTO version VALUES ($1, '')", VERSION)
    if stored is None or stored[1] != digest:
        await _replace_functions(connection, schema, functions)
        await connection.execute("UPDATE version SET functions = $1", digest)


async def _stored(connection: asyncpg.Connection[asyncpg.Record], schema: str) -> tuple[int, str] | None:
    if await connection.fetchval("SELECT to_regclass($1)", f"{schema}.version") is None:
        return None
    row = await connection.fetchrow("SELECT number, functions FROM version")
    if row is None:
        raise ConfigError(f"the schema {schema} has no version row: it was not made by agentopic")
    if row["number"] > VERSION:
        raise ConfigError(f"the journal's schema {schema} has version {row['number']}; this program knows {VERSION}")
    return row["number"], row["functions"]


async def _replace_functions(connection: asyncpg.Connection[asyncpg.Record], schema: str, functions: str) -> None:
    """Drop what an earlier text defined, then define anew: a signature may have changed."""
    old = await connection.fetch(
        "SELECT oid::regprocedure::text AS name FROM pg_proc WHERE pronamespace = $1::text::regnamespace",
        schema,
    )
    for row in old:
        await connection.execute(f"DROP FUNCTION {row['name']}")
    await connection.execute(functions)


def _text(name: str) -> str:
    return (files("agentopic.adapters.journal.postgres") / "sql" / name).read_text(encoding="utf-8")
