"""Runs one command as a process group of its own, bounded in time and output, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agentopic.core import CancellationToken

TIMEOUT_EXIT_CODE = 124
CANCELLED_EXIT_CODE = 125
_CHUNK = 65_536
_ESCAPED_WRITER_SECONDS = 1.0
"""How long to read on when a process has left its group and still holds the pipe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessOutcome:
    """How a command ended; standard error is part of the output, in the order written."""

    exit_code: int
    output: str


async def run_bounded(
    argv: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    timeout_seconds: float,
    output_bytes: int,
    cancellation_token: CancellationToken,
) -> ProcessOutcome:
    """Run a command to its end, its time-out (exit code 124) or its cancellation (125).

    However it ends, every process of its group is killed before this returns, also when this task is cancelled.

    Raises:
        OSError: the command cannot be started.
    """
    read_end, write_end = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            cwd=cwd,
            env=dict(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=write_end,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    except BaseException:
        os.close(read_end)
        raise
    finally:
        os.close(write_end)
    output = _CappedOutput(output_bytes)
    reading = asyncio.create_task(output.read(read_end))
    waiting = asyncio.create_task(process.wait())
    cancellation_token.link_future(waiting)
    try:
        await asyncio.wait([waiting], timeout=timeout_seconds)
        exit_code, note = _ending(waiting)
    finally:
        waiting.cancel()
        await asyncio.shield(_kill_group(process, reading))
    return ProcessOutcome(exit_code=exit_code, output=output.text() + note)


def _ending(waiting: asyncio.Task[int]) -> tuple[int, str]:
    if not waiting.done():
        return TIMEOUT_EXIT_CODE, "\nTimeout"
    if waiting.cancelled():
        return CANCELLED_EXIT_CODE, "\nCancelled"
    return waiting.result(), ""


class _CappedOutput:
    """Keeps the first bytes of a stream and reads on, so that the writer is never blocked."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept = bytearray()
        self._cut = False

    async def read(self, read_end: int) -> None:
        """Read until every writer is gone; closes the descriptor.

        The pipe is our own: with asyncio's, waiting for a process also waits for the children it left behind.
        """
        stream = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(read_end, "rb")
        )
        try:
            while chunk := await stream.read(_CHUNK):
                room = self._limit - len(self._kept)
                self._kept += chunk[:room]
                self._cut = self._cut or len(chunk) > room
        finally:
            transport.close()

    def text(self) -> str:
        text = self._kept.decode("utf-8", errors="replace")
        return f"{text}\n[output cut after {self._limit} bytes]" if self._cut else text


async def _kill_group(process: asyncio.subprocess.Process, reading: asyncio.Task[None]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
    await asyncio.wait([reading], timeout=_ESCAPED_WRITER_SECONDS)
    reading.cancel()
    await asyncio.wait([reading])
