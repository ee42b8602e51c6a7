"""Bringing a SQLite file to this program's schema version."""

from __future__ import annotations

import sqlite3
from importlib.resources import files

from agentopic.errors import ConfigError

VERSION = 1


def bring_up(connection: sqlite3.Connection) -> None:
    """Create the tables where there are none; inside a write transaction.

    Raises:
        ConfigError: the stored schema is newer than this program.
    """
    connection.execute("CREATE TABLE IF NOT EXISTS j_schema (version INTEGER NOT NULL)")
    row = connection.execute("SELECT version FROM j_schema").fetchone()
    if row is None:
        for statement in (
            files("agentopic.adapters.journal.sqlite").joinpath("schema.sql").read_text("utf-8").split(";\n")
        ):
            connection.execute(statement)
        connection.execute("INSERT INTO j_schema VALUES (?)", (VERSION,))
    elif row[0] > VERSION:
        raise ConfigError(f"the journal's schema is version {row[0]}, this program knows version {VERSION}: upgrade it")
