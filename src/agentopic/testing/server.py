"""The life of one real server on loopback: start, stop, kill, restart, pause; subclasses are technologies."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import socket
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from agentopic.errors import BedError
from agentopic.testing.account import Account, open_folder
from agentopic.testing.process import BedProcess

_POLL_SECONDS = 0.02
_KILL_SECONDS = 10.0
_LOG_LINES = 20


def free_port() -> int:
    """Return a free loopback port below the range from which clients draw their own.

    A client that keeps trying a dead server's port could otherwise be given that very port and meet itself.
    """
    for port in random.sample(range(15_000, 32_000), k=200):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise BedError("no free port between 15000 and 32000 on 127.0.0.1")


class LocalServer(ABC):
    """One server process with its own temporary directory and ports.

    Entering starts it and returns once it serves; leaving ends it and removes the directory. `kill`, `stop`
    and `start` in between keep data and port, so that clients see the same server come back. All methods block:
    from a coroutine call the slow ones (`start`, `stop`, `restart`) through `asyncio.to_thread`.
    """

    name: ClassVar[str]
    """What the server is called in messages and directory names."""
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    """The signal that asks for a clean shutdown without waiting for clients."""

    def __init__(self, *, start_timeout_seconds: float = 60.0, account: Account | None = None) -> None:
        self._start_timeout_seconds = start_timeout_seconds
        self._account = account
        self._directory: Path | None = None
        self._process: BedProcess | None = None
        self._port = 0

    @property
    def port(self) -> int:
        """The loopback port; fixed from the first start on."""
        return self._port

    @property
    def directory(self) -> Path:
        """Where the server keeps its data, configuration and log."""
        if self._directory is None:
            raise BedError(f"{self.name} has not been started")
        return self._directory

    @property
    def pid(self) -> int | None:
        """The process id while the server runs."""
        return None if self._process is None else self._process.pid

    @property
    def log(self) -> str:
        """What the running server has printed since it was started."""
        return "" if self._process is None else self._process.output()

    @abstractmethod
    def prepare(self) -> None:
        """Lay out configuration and data in `directory`, once, before the first start."""

    @abstractmethod
    def command(self) -> Sequence[str]:
        """Return the command line of the server, in the foreground."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether the running process serves clients."""

    def start(self) -> None:
        """Start the server and wait until it serves; without effect when it runs.

        Raises:
            BedUnavailableError: when the machine lacks what the server is made of.
            BedError: when it ends or does not serve in time; the end of its log is part of the message.
        """
        if self._process is not None:
            return
        if self._directory is None:
            self._directory = self._make_directory()
            self._port = free_port()
            self.prepare()
        self._process = BedProcess(self.command(), self._directory, self._account)
        self._await_ready(self._process)

    def stop(self, grace_seconds: float = 15.0) -> None:
        """Ask the server to end, and kill it when it has not done so in `grace_seconds`; data stays."""
        if self._process is None:
            return
        self.resume()
        self._process.signal(self.stop_signal)
        if self._process.wait(grace_seconds):
            self._process = None
        else:
            self.kill()

    def kill(self) -> None:
        """End the server and its children with SIGKILL, as a crash would; data stays as it was on disk.

        Raises:
            BedError: when the system does not end the process.
        """
        if self._process is None:
            return
        self._process.signal_all(signal.SIGKILL)
        if not self._process.wait(_KILL_SECONDS):
            raise BedError(f"{self.name} (pid {self._process.pid}) does not end by SIGKILL")
        self._process = None

    def restart(self) -> None:
        """Stop cleanly and start again on the same port and data."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Freeze the server and its children (SIGSTOP): connections stay open and nothing answers."""
        if self._process is not None:
            self._process.signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused server go on."""
        if self._process is not None:
            self._process.signal_all(signal.SIGCONT)

    def close(self) -> None:
        """End the server and remove its directory; may be called more than once."""
        self.stop()
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None

    async def aclose(self) -> None:
        """Do what `close` does without blocking the event loop."""
        await asyncio.to_thread(self.close)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        starting = asyncio.ensure_future(asyncio.to_thread(self.__enter__))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            # The thread cannot be interrupted: let it finish, so that there is one owner who ends the server.
            await asyncio.wait([starting])
            await self.aclose()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _make_directory(self) -> Path:
        directory = Path(tempfile.mkdtemp(prefix=f"agentopic-{self.name.lower()}-", dir=open_folder()))
        if self._account is not None:
            os.chown(directory, self._account.uid, self._account.gid)
        return directory

    def _await_ready(self, process: BedProcess) -> None:
        deadline = time.monotonic() + self._start_timeout_seconds
        while not self.is_ready():
            if process.exit_code is not None:
                process.wait(0)
                self._process = None
                raise BedError(f"{self.name} ended with code {process.exit_code}:\n{_tail(process.output())}")
            if time.monotonic() > deadline:
                self.kill()
                waited = f"{self._start_timeout_seconds:g} s"
                raise BedError(f"{self.name} does not serve after {waited}:\n{_tail(process.output())}")
            time.sleep(_POLL_SECONDS)


def _tail(text: str) -> str:
    return "\n".join(text.splitlines()[-_LOG_LINES:])
