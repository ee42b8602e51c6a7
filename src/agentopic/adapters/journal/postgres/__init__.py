"""The journal in PostgreSQL: each call is one function of the database, one transaction, one round trip."""

from agentopic.adapters.journal.postgres.journal import PostgresJournal
from agentopic.adapters.journal.postgres.migration import Migrated, migrate
from agentopic.adapters.journal.postgres.options import PostgresOptions

__all__ = ["Migrated", "PostgresJournal", "PostgresOptions", "migrate"]
