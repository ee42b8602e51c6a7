"""Bringing a journal's file up ahead of a start, without entering it."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from agentopic.adapters.journal.migrated import Migrated
from agentopic.adapters.journal.sqlite.database import Database, SqliteOptions
from agentopic.adapters.journal.sqlite.schema import VERSION, require_known, stored_version
from agentopic.errors import ConfigError, UnreachableError


async def migrate(options: SqliteOptions, *, rehearse: bool = False) -> Migrated:
    """Bring the file to this version, as the start of a journal does; with `rehearse` only say what that would change.

    Raises:
        UnreachableError: the file cannot be opened.
        ConfigError: it is no database, or its schema is newer than this program.
    """
    before = await asyncio.to_thread(_stored, options.path)
    if not rehearse:
        database = Database(options)
        try:
            await database.open()
        finally:
            await database.aclose()
    return Migrated(before=before, now=VERSION)


def _stored(path: Path) -> int:
    """Return the version in a file, without making one: 0 when there is none, or no journal in it."""
    if not path.exists():
        return 0
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            version = stored_version(connection)
    except sqlite3.OperationalError as exc:
        raise UnreachableError(f"the SQLite file {path} cannot be opened: {exc}") from exc
    except sqlite3.DatabaseError as exc:
        raise ConfigError(f"{path} is not a usable SQLite file: {exc}") from exc
    require_known(version)
    return version
