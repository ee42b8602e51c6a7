"""The tables and functions in the database: created or brought up to this version at start."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import TypeAlias

import asyncpg

from agentopic.errors import ConfigError

VERSION = 2
"""Of the tables: the number of the newest migration."""

_FUNCTIONS = (
    "types.sql",
    "membership.sql",
    "endings.sql",
    "cycles.sql",
    "intake.sql",
    "take.sql",
    "commit.sql",
    "spending.sql",
    "steps.sql",
    "control.sql",
    "requests.sql",
    "sweep.sql",
)

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """What a database has: the version of its tables, 0 when there are none, and the digest of its functions."""

    number: int
    functions: str


async def prepare(connection: Connection, schema: str) -> None:
    """Create what is missing and bring what is there up to this version, data included.

    Of several processes that start together one does it, under a lock. Functions, and the types they return, are
    replaced when their text differs from what is stored; tables change by migrations.

    Raises:
        ConfigError: the stored schema is newer than this program.
    """
    functions, wanted = _wanted()
    if await _stored(connection, schema) == wanted:
        return
    # A lock of the session, not of the transaction: one taken inside would be waited for with the catalogue as it
    # was before, and the tables that the first process made would be made again.
    lock = f"agentopic schema {schema}"
    await connection.execute("SELECT pg_advisory_lock(hashtext($1))", lock)
    try:
        async with connection.transaction():
            await _bring_up(connection, schema, wanted, functions)
    finally:
        await connection.execute("SELECT pg_advisory_unlock(hashtext($1))", lock)


async def is_current(connection: Connection, schema: str) -> bool:
    """Whether there is nothing to bring up, functions included. Errors as with `prepare`."""
    return await _stored(connection, schema) == _wanted()[1]


def _wanted() -> tuple[str, _Stored]:
    functions = "\n".join(_text(name) for name in _FUNCTIONS)
    return functions, _Stored(number=VERSION, functions=hashlib.sha256(functions.encode()).hexdigest())


async def stored_version(connection: Connection, schema: str) -> int:
    """Return the version of the tables in a database; 0 when there are none. Errors as with `prepare`."""
    return (await _stored(connection, schema)).number


async def _bring_up(connection: Connection, schema: str, wanted: _Stored, functions: str) -> None:
    stored = await _stored(connection, schema)
    if stored == wanted:
        return
    if stored.number == 0:
        await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        await connection.execute("CREATE TABLE version (number integer, functions text)")
        await connection.execute("INSERT INTO version VALUES (0, '')")
    await _drop_functions(connection, schema)
    if stored.number < wanted.number:
        await connection.execute(await asyncio.to_thread(_migration, stored.number))
    await connection.execute("DROP TYPE IF EXISTS controlled, effect, summary")
    await connection.execute(functions)
    await connection.execute("UPDATE version SET number = $1, functions = $2", wanted.number, wanted.functions)


def _migration(stored: int) -> str:
    """Return the script to the newest tables; the library that orders its steps is loaded when they change only."""
    from agentopic.adapters.journal.postgres.migrations.chain import upgrade_text

    return upgrade_text(stored)


async def _stored(connection: Connection, schema: str) -> _Stored:
    if await connection.fetchval("SELECT to_regclass($1)", f"{schema}.version") is None:
        return _Stored(number=0, functions="")
    row = await connection.fetchrow("SELECT number, functions FROM version")
    if row is None:
        raise ConfigError(f"the schema {schema} has no version row: it was not made by agentopic")
    if row["number"] > VERSION:
        raise ConfigError(f"the journal's schema {schema} has version {row['number']}; this program knows {VERSION}")
    return _Stored(number=row["number"], functions=row["functions"])


async def _drop_functions(connection: Connection, schema: str) -> None:
    """Drop what an earlier text defined: a signature may have changed."""
    old = await connection.fetch(
        "SELECT oid::regprocedure::text AS name FROM pg_proc WHERE pronamespace = $1::text::regnamespace",
        schema,
    )
    if old:
        await connection.execute(f"DROP FUNCTION {', '.join(row['name'] for row in old)}")


def _text(name: str) -> str:
    return (files("agentopic.adapters.journal.postgres") / "sql" / name).read_text(encoding="utf-8")
