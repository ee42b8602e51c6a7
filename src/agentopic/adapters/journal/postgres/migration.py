"""Bringing a journal's tables up ahead of a deployment, without entering it."""

from __future__ import annotations

from agentopic.adapters.journal.migrated import Migrated
from agentopic.adapters.journal.postgres.failures import DRIVER_ERRORS, start_error
from agentopic.adapters.journal.postgres.link import Link
from agentopic.adapters.journal.postgres.options import PostgresOptions
from agentopic.adapters.journal.postgres.schema import VERSION, is_current, prepare, stored_version


async def migrate(options: PostgresOptions, *, rehearse: bool = False) -> Migrated:
    """Bring the tables and functions to this version, as the start of a journal does.

    With `rehearse` nothing is changed: it only says what would be.

    Raises:
        UnreachableError: the database does not answer.
        ConfigError: it refuses the login, or the stored schema is newer than this program.
    """
    try:
        connection = await Link(options).connect()
        try:
            before = await stored_version(connection, options.schema)
            current = await is_current(connection, options.schema)
            if not rehearse:
                await prepare(connection, options.schema)
        finally:
            await connection.close(timeout=options.connect_seconds)
    except DRIVER_ERRORS as error:
        raise start_error(options.place, error) from error
    return Migrated(before=before, now=VERSION, functions_alone=before == VERSION and not current)


__all__ = ["Migrated", "migrate"]
