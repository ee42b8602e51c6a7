"""One process of the test bed: on a leash, signalled together with its children, its output in a file."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from agentopic.testing.account import Account
from agentopic.testing.leash import Leash

# Servers get no part of our environment: nothing of it may change how they behave.
_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "TZ": "UTC"}


class BedProcess:
    """A running server process; exists from start to end and is not used again."""

    def __init__(self, command: Sequence[str], directory: Path, account: Account | None) -> None:
        self._log = directory / "server.log"
        self._log_start = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - the command is the server of a subclass
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=directory,
                env=_ENVIRONMENT,
                user=None if account is None else account.uid,
                group=None if account is None else account.gid,
                extra_groups=None if account is None else [],
                start_new_session=True,
            )
        self._leash = Leash(self._process.pid, directory)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How the process ended, None while it runs."""
        return self._process.poll()

    def output(self) -> str:
        """Return what this process has printed so far."""
        return self._log.read_bytes()[self._log_start :].decode(errors="replace")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process alone."""
        self._process.send_signal(number)

    def signal_all(self, number: signal.Signals) -> None:
        """Send a signal to the process and its children."""
        children = _children(self._process.pid)
        self._process.send_signal(number)
        for pid in children:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def wait(self, timeout_seconds: float) -> bool:
        """Wait for the end; False when it has not come in time."""
        try:
            self._process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            return False
        self._leash.release()
        return True


def _children(pid: int) -> list[int]:
    """Return the children of `pid`; none without /proc, where servers end theirs themselves."""
    listing = Path(f"/proc/{pid}/task/{pid}/children")
    try:
        return [int(child) for child in listing.read_text().split()]
    except OSError:
        return []
