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
    row = connection.execute("SELECT version FROM j_schema").fetchone()
    if row is None:
        _run(connection, "schema.sql")
        connection.execute("INSERT INTO j_schema VALUES (?)", (VERSION,))
        return
    if row[0] > VERSION:
        raise ConfigError(f"the journal's schema is version {row[0]}, this program knows version {VERSION}: upgrade it")
    for version in range(row[0] + 1, VERSION + 1):
        _run(connection, f"upgrade_{version}.sql")
        connection.execute("UPDATE j_schema SET version = ?", (version,))


def _run(connection: sqlite3.Connection, name: str) -> None:
    text = files("agentopic.adapters.journal.sqlite").joinpath(name).read_text("utf-8")
    for statement in text.split(";\n"):
        connection.execute(statement)
