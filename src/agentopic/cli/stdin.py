"""Lines from stdin without ever blocking the event loop, so that an interrupt ends a waiting process at once."""

from __future__ import annotations

import asyncio
import io
import os
import stat
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import BinaryIO, Protocol

# A line is one event; the largest that a broker takes by default is 1 MiB.
_LINE_BYTES = 16 * 1024 * 1024


class LineReader(Protocol):
    """Reads line by line."""

    async def readline(self) -> bytes:
        """Return the next line with its end; empty at the end of the input."""
        ...


class FileLines:
    """Lines of something that never waits: a file, or text that is there already."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    async def readline(self) -> bytes:
        """Return the next line."""
        return self._file.readline()


@asynccontextmanager
async def stdin_lines() -> AsyncGenerator[LineReader]:
    """Hand out a reader of this process's stdin, be it a terminal, a pipe or a file."""
    pipe = _waiting_input()
    if pipe is None:
        yield FileLines(sys.stdin.buffer)
        return
    reader = asyncio.StreamReader(limit=_LINE_BYTES)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), pipe
    )
    try:
        yield reader
    finally:
        transport.close()


async def line_batches(lines: LineReader, limit: int) -> AsyncGenerator[list[bytes]]:
    """Yield what is there, up to `limit` lines at a time; waits only while nothing is."""
    while first := await lines.readline():
        batch = [first]
        try:
            async with asyncio.timeout(0):
                while len(batch) < limit and (line := await lines.readline()):
                    batch.append(line)
        except TimeoutError:
            # Nothing more at this moment: what came is sent now.
            pass
        yield batch


def _waiting_input() -> BinaryIO | None:
    """Return stdin as something to wait for, or None when it is a plain file and never waits."""
    try:
        number = sys.stdin.fileno()
    except (io.UnsupportedOperation, ValueError):
        return None
    if os.isatty(number):
        # A description of its own: making the shared one non-blocking would break writing to the terminal.
        return open(os.ttyname(number), "rb", buffering=0)  # noqa: PTH123 - the transport closes it
    mode = os.fstat(number).st_mode
    waits = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
    return os.fdopen(os.dup(number), "rb", buffering=0) if waits else None
