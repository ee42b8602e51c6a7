"""A file system of some megabytes under the data of a server, which can be filled to the last byte."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from agentopic.testing.server import LocalServer

_BALLAST = "ballast"
_CHUNK = 1 << 16


class NoSmallDiskError(Exception):
    """This account may not mount a file system."""


class SmallDisk:
    """A mounted file system."""

    def __init__(self, place: Path) -> None:
        self._ballast = place / _BALLAST

    def fill(self) -> None:
        """Take all the room there is."""
        size = _CHUNK
        with self._ballast.open("ab", buffering=0) as ballast:
            while size:
                try:
                    ballast.write(bytes(size))
                except OSError as exc:
                    if exc.errno != errno.ENOSPC:
                        raise
                    size //= 2

    def make_room(self) -> None:
        """Give it back."""
        self._ballast.unlink()


@contextmanager
def small_disk(server: LocalServer, folder: Path, megabytes: int) -> Generator[SmallDisk]:
    """Move a folder of a running server to a disk of its own; the server is restarted, and stopped with the block.

    Raises:
        NoSmallDiskError: this account may not mount, and may not become one that may.
    """
    server.stop()
    away = folder.with_name(f"{folder.name}.away")
    folder.rename(away)
    owner = away.stat()
    folder.mkdir()
    options = f"size={megabytes}m,mode=700,uid={owner.st_uid},gid={owner.st_gid}"
    _run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)])
    try:
        subprocess.run(["cp", "-a", f"{away}/.", str(folder)], check=True)
        server.start()
        yield SmallDisk(folder)
    finally:
        server.stop()
        _run(["umount", "--lazy", str(folder)])


def _run(command: Sequence[str]) -> None:
    """Run a command as root."""
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    try:
        ended = subprocess.run([*sudo, *command], check=False, capture_output=True, text=True)
    except FileNotFoundError as exc:
        raise NoSmallDiskError(str(exc)) from exc
    if ended.returncode:
        raise NoSmallDiskError(ended.stderr.strip())
