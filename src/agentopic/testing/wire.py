"""A loopback relay before a server that can lose what the server answers, or hold it back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit


class Wire:
    """Passes bytes both ways until told otherwise; what the client sends always arrives.

    Args:
        address: URL of the server, with host and port.
    """

    def __init__(self, address: str) -> None:
        self._address = urlsplit(address)
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self.loses_answers = False
        """While true, the first answer on a connection is dropped and the connection cut."""

    async def start(self) -> str:
        """Listen, and return the URL to connect to instead of the server's own."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        user, at, _ = self._address.netloc.rpartition("@")
        return urlunsplit(self._address._replace(netloc=f"{user}{at}127.0.0.1:{port}"))

    def hold_answers(self) -> None:
        """Read nothing more from the server: it blocks once its buffers are full."""
        self._flows.clear()

    async def aclose(self) -> None:
        """Cut every connection."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = self._address.hostname, self._address.port
        answers, questions = await asyncio.open_connection(host, port, limit=4096)
        self._writers += [writer, questions]
        for flow in (self._pass(reader, questions), self._return(answers, writer)):
            task = asyncio.create_task(flow)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def _return(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if self.loses_answers:
                    break
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def wire(address: str) -> AsyncGenerator[tuple[Wire, str]]:
    """Open a relay before the server at `address`; yields it with the URL to use."""
    relay = Wire(address)
    try:
        yield relay, await relay.start()
    finally:
        await relay.aclose()
