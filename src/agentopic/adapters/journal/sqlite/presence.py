"""Proof of life by the kernel: a lock on a file per process that dies with its holder."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path


class Presence:
    """The processes entered over one connection hold `<file>.p<id>` locked; others can see when that ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: dict[int, int] = {}

    def _file(self, process: int) -> Path:
        return Path(f"{self._path}.p{process}")

    def hold(self, process: int) -> None:
        """Lock the process's file, before its entry can be seen by others."""
        descriptor = os.open(self._file(process), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            # A file of that name left from an earlier journal may still be locked: then only beats tell.
            with suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise
        self._held[process] = descriptor

    def is_gone(self, process: int) -> bool:
        """Whether the kernel has freed the lock; False when nothing can be proved."""
        try:
            descriptor = os.open(self._file(process), os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            # Shared, so that two that look at once do not see each other's look as life.
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(descriptor)
        return True

    def forget(self, process: int) -> None:
        """Remove the file of a process that has ended; its id is never used again."""
        self._release(process)
        self._file(process).unlink(missing_ok=True)

    def _release(self, process: int) -> None:
        descriptor = self._held.pop(process, None)
        if descriptor is not None:
            os.close(descriptor)

    def close(self) -> None:
        """Let go of everything held: from now on these processes count as gone."""
        for process in list(self._held):
            self._release(process)
