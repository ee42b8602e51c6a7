"""Bringing a SQLite file to this program's schema version."""

from __future__ import annotations

import sqlite3
from importlib.resources import files

from agentopic.errors import ConfigError

VERSION = 2


def bring_up(connection: sqlite3.Connection) -> None:
    """Create the tables where there are none, bring older ones up to date; inside a write transaction.

    Raises:
        ConfigError: the stored schema is newer than this program.
    """
    connection.execute("CREATE TABLE IF NOT EXISTS j_schema (version INTEGER NOT NULL)")
    stored = stored_version(connection)
    if stored == 0:
        _run(connection, "schema.sql")
        connection.execute("INSERT INTO j_schema VALUES (?)", (VERSION,))
        return
    require_known(stored)
    for version in range(stored + 1, VERSION + 1):
        _run(connection, f"upgrade_{version}.sql")
        connection.execute("UPDATE j_schema SET version = ?", (version,))


def stored_version(connection: sqlite3.Connection) -> int:
    """Return the version of the tables in a file; 0 when there are none."""
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'j_schema'").fetchone() is None:
        return 0
    row = connection.execute("SELECT version FROM j_schema").fetchone()
    return 0 if row is None else int(row[0])


def require_known(stored: int) -> None:
    """Return when this program can read a stored version.

    Raises:
        ConfigError: it is newer than this program.
    """
    if stored > VERSION:
        raise ConfigError(f"the journal's schema is version {stored}, this program knows version {VERSION}: upgrade it")


def _run(connection: sqlite3.Connection, name: str) -> None:
    text = files("agentopic.adapters.journal.sqlite").joinpath(name).read_text("utf-8")
    for statement in text.split(";\n"):
        connection.execute(statement)
