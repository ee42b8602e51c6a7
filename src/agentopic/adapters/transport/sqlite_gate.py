"""The gate before every write to a shared SQLite file: a lock taken in turn that dies with its holder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


class Gate:
    """An exclusive `flock` on `<file>.w`, shared by all programs that write the file.

    SQLite's own busy wait is unfair: under eight writers one was seen to wait for seconds. The kernel queues
    waiters of this lock and frees it when its holder dies.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(f"{path}.w", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @contextmanager
    def held(self) -> Generator[None]:
        """Hold the lock; blocks until it is free."""
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the lock's file."""
        os.close(self._descriptor)
