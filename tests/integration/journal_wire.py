"""A loopback relay before a database that can swallow answers or stop passing them on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit


class Wire:
    """Passes bytes both ways until told to lose or to hold back what the server answers."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self.loses_answers = False

    async def start(self) -> str:
        """Listen, and return the address to connect to instead of the database's own."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        return urlunsplit(urlsplit(self._dsn)._replace(netloc=f"postgres@127.0.0.1:{port}"))

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
        parts = urlsplit(self._dsn)
        answers, questions = await asyncio.open_connection(parts.hostname, parts.port, limit=4096)
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
async def wire(dsn: str) -> AsyncIterator[tuple[Wire, str]]:
    """Open a relay before the database at `dsn`; yields it with the address to use."""
    relay = Wire(dsn)
    try:
        yield relay, await relay.start()
    finally:
        await relay.aclose()
