"""Bringing a journal's tables up ahead of a deployment, without entering it."""

from __future__ import annotations

from dataclasses import dataclass

from agentopic.adapters.journal.postgres.failures import DRIVER_ERRORS, start_error
from agentopic.adapters.journal.postgres.link import Link
from agentopic.adapters.journal.postgres.options import PostgresOptions
from agentopic.adapters.journal.postgres.schema import VERSION, prepare, stored_version


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated:
    """The version of the tables before, 0 when there were none, and now."""

    before: int
    now: int


async def migrate(options: PostgresOptions) -> Migrated:
    """Bring the tables and functions to this version, as the start of a journal does.

    Raises:
        UnreachableError: the database does not answer.
        ConfigError: it refuses the login, or the stored schema is newer than this program.
    """
    try:
        connection = await Link(options).connect()
        try:
            before = await stored_version(connection, options.schema)
            await prepare(connection, options.schema)
        finally:
            await connection.close(timeout=options.connect_seconds)
    except DRIVER_ERRORS as error:
        raise start_error(options.place, error) from error
    return Migrated(before=before, now=VERSION)
