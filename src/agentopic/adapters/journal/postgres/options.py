"""How to reach the database, and how long to wait for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from agentopic.errors import ConfigError

_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresOptions:
    """Where the journal lies and how long its calls may take.

    Raises:
        ConfigError: the address or the schema name cannot be used.
    """

    dsn: str
    schema: str = "agentopic"
    """Schema of all tables and functions; created when missing."""
    start_seconds: float = 10.0
    """How long `start` goes on trying to connect."""
    connect_seconds: float = 5.0
    command_seconds: float = 30.0
    """How long one call may take before its outcome counts as unknown."""

    def __post_init__(self) -> None:
        if urlsplit(self.dsn).scheme not in {"postgresql", "postgres"}:
            raise ConfigError("a PostgreSQL journal needs an address such as postgresql://user@host:5432/name")
        if not _SCHEMA.fullmatch(self.schema):
            raise ConfigError(f"{self.schema!r} cannot be a schema name: use lower-case letters, digits and _")

    @property
    def place(self) -> str:
        """Host, port and database for messages; never the user's secrets."""
        parts = urlsplit(self.dsn)
        address = parts.netloc.rpartition("@")[2] or "localhost"
        return f"{address}{parts.path}"
