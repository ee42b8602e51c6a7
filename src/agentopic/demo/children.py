"""The processes of a run: started, killed on purpose, ended with it, and on a leash should it end suddenly."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Self

from agentopic.errors import DemoError
from agentopic.settings.environment import child_environment
from agentopic.testing.leash import Leash

_POLL_SECONDS = 0.02
_LOG_LINES = 5

Pipe = IO[Any] | int | None


class Child:
    """One process; what it says goes to `<name>.log` unless its output is taken."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        folder: Path,
        settings: Mapping[str, str],
        *,
        stdin: Pipe = subprocess.DEVNULL,
        stdout: Pipe = None,
    ) -> None:
        self.name = name
        self._log = folder / f"{name}.log"
        # Temporary files lie in the run's directory: a killed process cannot remove its own.
        scratch = folder / "tmp" / name
        scratch.mkdir(parents=True, exist_ok=True)
        self._log_start = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            self.process: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603 - our own programs
                [sys.executable, *arguments],
                stdin=stdin,
                stdout=log if stdout is None else stdout,
                stderr=log,
                cwd=folder,
                env=child_environment({"TMPDIR": str(scratch), **settings}),
            )
        self._leash: Leash | None = Leash(self.process.pid, scratch)

    def said(self) -> str:
        """Return what this process has logged so far."""
        return self._log.read_bytes()[self._log_start :].decode(errors="replace")

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self.process.poll() is None

    @property
    def end(self) -> str:
        """How it ended and the last thing it logged."""
        return f"code {self.process.returncode}: {(self.said().splitlines() or ['not a word'])[-1]}"

    async def until_said(self, text: str, seconds: float) -> None:
        """Wait until it has logged a text.

        Raises:
            DemoError: it ended or was silent; the end of its log is part of the message.
        """
        try:
            async with asyncio.timeout(seconds):
                while text not in self.said():
                    if self.process.poll() is not None:
                        raise DemoError(f"{self.name} ended with code {self.process.returncode}: {self._last_lines()}")
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError as exc:
            raise DemoError(f"{self.name} was not ready within {seconds:g} s: {self._last_lines()}") from exc

    async def until_ended(self, seconds: float) -> int | None:
        """Wait for the end and return the exit code; None when it has not come in time."""
        try:
            code = await asyncio.to_thread(self.process.wait, seconds)
        except subprocess.TimeoutExpired:
            return None
        self._let_go()
        return code

    def kill(self) -> None:
        """End it with SIGKILL and wait for the end."""
        self.process.kill()
        self.process.wait()
        self._let_go()

    def ask_to_end(self) -> None:
        """Send SIGTERM."""
        self.process.terminate()

    def _let_go(self) -> None:
        leash, self._leash = self._leash, None
        if leash is not None:
            leash.release()

    def _last_lines(self) -> str:
        return "\n".join(self.said().splitlines()[-_LOG_LINES:])


class Children:
    """All processes of a run; what is left of them is killed with the block."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._all: list[Child] = []

    def start(
        self,
        name: str,
        arguments: Sequence[str],
        settings: Mapping[str, str] | None = None,
        *,
        stdin: Pipe = subprocess.DEVNULL,
        stdout: Pipe = None,
    ) -> Child:
        """Start a Python program."""
        child = Child(name, arguments, self._folder, settings or {}, stdin=stdin, stdout=stdout)
        self._all.append(child)
        return child

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for child in self._all:
            child.kill()
