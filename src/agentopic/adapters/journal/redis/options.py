"""How to reach the Redis server, and how long to wait for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from agentopic.errors import ConfigError

_SPACE = re.compile(r"[A-Za-z0-9_.:-]{1,100}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisOptions:
    """Where the journal lies and how long its calls may take.

    Raises:
        ConfigError: the address or the name of the key space cannot be used.
    """

    url: str
    """`redis://[user:password@]host:port/database`, or `rediss://` with TLS."""
    space: str = "agentopic"
    """First part of all keys and their hash tag, so that a cluster keeps them together: `{agentopic}:…`."""
    start_seconds: float = 10.0
    """How long `start` goes on trying to connect."""
    connect_seconds: float = 5.0
    command_seconds: float = 30.0
    """How long one call may take before its outcome counts as unknown."""

    def __post_init__(self) -> None:
        if urlsplit(self.url).scheme not in {"redis", "rediss"}:
            raise ConfigError("a Redis journal needs an address such as redis://host:6379/0")
        if not _SPACE.fullmatch(self.space):
            raise ConfigError(f"{self.space!r} cannot begin the keys of a journal: use letters, digits and _ . : -")

    @property
    def prefix(self) -> str:
        """What every key begins with."""
        return f"{{{self.space}}}:"

    @property
    def place(self) -> str:
        """Host, port and database for messages; never the user's secrets."""
        parts = urlsplit(self.url)
        return f"{parts.netloc.rpartition('@')[2]}{parts.path}"
