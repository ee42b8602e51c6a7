"""A leash on a server: when the process that started it dies, however suddenly, so does the server."""

from __future__ import annotations

import subprocess
from pathlib import Path

# The shell waits at a pipe whose other end only the owner holds; the end of the pipe is the end of the owner.
_WATCH = 'read -r _; kill -9 "$1" 2>/dev/null; sleep 1; rm -rf "$2"'


class Leash:
    """Kills `pid` and removes `directory` when the owner of this object is gone without having let go."""

    def __init__(self, pid: int, directory: Path) -> None:
        self._watcher = subprocess.Popen(  # noqa: S603 - a fixed script
            ["/bin/sh", "-c", _WATCH, "leash", str(pid), str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def release(self) -> None:
        """Let go without harm; to be called before the server's pid can be given to another process."""
        self._watcher.kill()
        self._watcher.wait()
        if self._watcher.stdin is not None:
            self._watcher.stdin.close()
