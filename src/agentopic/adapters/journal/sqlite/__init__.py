"""The journal in a SQLite file: for the processes of one machine."""

from agentopic.adapters.journal.sqlite.database import SqliteOptions
from agentopic.adapters.journal.sqlite.journal import SqliteJournal

__all__ = ["SqliteJournal", "SqliteOptions"]
