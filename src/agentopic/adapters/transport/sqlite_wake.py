"""Waking readers of other processes on one machine: a loopback datagram that says no more than "look"."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable, Sequence
from typing import Self

_LOOPBACK = "127.0.0.1"
_LOOK = b"\0"


class Ringer:
    """Sends wakes. They may get lost: listeners also poll. Used from one thread."""

    def __init__(self) -> None:
        self._sockets: dict[str, socket.socket] = {}
        self._gone: list[str] = []

    def ring(self, listeners: Iterable[tuple[str, int]]) -> None:
        """Wake each listener (id, port); those found to be gone are kept for `take_gone`."""
        for listener, port in listeners:
            try:
                self._connected(listener, port).send(_LOOK)
            except BlockingIOError:
                continue  # its buffer is full of wakes
            except OSError:
                # A connected datagram socket learns from the kernel that nobody listens any more.
                self._gone.append(listener)

    def take_gone(self) -> Sequence[str]:
        """Return the listeners found to be gone and forget them."""
        gone, self._gone = self._gone, []
        for listener in gone:
            found = self._sockets.pop(listener, None)
            if found is not None:
                found.close()
        return gone

    def close(self) -> None:
        """Close all sockets."""
        for opened in self._sockets.values():
            opened.close()
        self._sockets.clear()

    def _connected(self, listener: str, port: int) -> socket.socket:
        found = self._sockets.get(listener)
        if found is None:
            found = self._sockets[listener] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            found.setblocking(False)
            found.connect((_LOOPBACK, port))
        return found


class Bell(asyncio.DatagramProtocol):
    """Listens on a loopback port of its own and calls back on each wake."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._transport: asyncio.DatagramTransport | None = None
        self.port = 0

    @classmethod
    async def hang(cls, ring: Callable[[], None]) -> Self:
        """Open the port.

        Raises:
            OSError: this machine has no loopback network.
        """
        loop = asyncio.get_running_loop()
        _, bell = await loop.create_datagram_endpoint(lambda: cls(ring), local_addr=(_LOOPBACK, 0))
        return bell

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        """Note the port."""
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Pass the wake on; its content and sender mean nothing."""
        self._ring()

    def close(self) -> None:
        """Close the port; idempotent."""
        if self._transport is not None:
            self._transport.close()
