"""The journal in a SQLite file: for the processes of one machine."""

from agentopic.adapters.journal.sqlite.database import SqliteOptions
from agentopic.adapters.journal.sqlite.journal import SqliteJournal
from agentopic.adapters.journal.sqlite.migration import migrate

__all__ = ["SqliteJournal", "SqliteOptions", "migrate"]
