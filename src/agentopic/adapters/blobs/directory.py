"""Blobs as files of one directory, which several processes and machines may share."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from agentopic.adapters.blobs.content_hash import checked_hash, content_hash, verified
from agentopic.errors import BlobUnavailableError, UnreachableError

T = TypeVar("T")

_FOLDERS = 256
_PART = ".part-"
_PART_SECONDS = 3600.0
"""Age after which a half-written file is one whose writer has died."""


class DirectoryBlobs:
    """The blob port over files `<directory>/<first two digits>/<hash>`; a file's modification time is its last use.

    A blob appears whole or not at all: it is written under another name, made durable and renamed. `now` is the
    clock in seconds since 1970 that ages are told by, the same for all who share the directory.
    """

    def __init__(self, directory: Path, now: Callable[[], float] = time.time) -> None:
        self._directory, self._now = directory, now

    async def start(self) -> None:
        """Make the directory.

        Raises:
            UnreachableError: it cannot be made or written.
        """
        try:
            await asyncio.to_thread(self._prepare)
        except OSError as exc:
            raise UnreachableError(f"the blob directory {self._directory} cannot be used: {exc}") from exc

    def _prepare(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=self._directory):
            pass

    async def put(self, data: bytes) -> str:
        """Store bytes durably and return their hash."""
        return await self._run(lambda: self._put(data))

    def _put(self, data: bytes) -> str:
        sha256 = content_hash(data)
        path = self._path(sha256)
        try:
            self._mark_used(path)
        except FileNotFoundError:
            self._write(path, data)
        return sha256

    def _write(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, part = tempfile.mkstemp(dir=path.parent, prefix=_PART)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            self._mark_used(Path(part))
            Path(part).replace(path)
        finally:
            Path(part).unlink(missing_ok=True)
        # The names too must outlive a power cut: of the file in its folder, of the folder in the directory.
        for folder in (path.parent, self._directory):
            _sync(folder)

    async def get(self, sha256: str) -> bytes:
        """Return the bytes of a hash, verified."""
        path = self._path(checked_hash(sha256))
        return verified(sha256, await self._run(lambda: _content(path)), str(self._directory))

    async def touch(self, hashes: Sequence[str]) -> None:
        """Make the age of these blobs zero."""
        await self._run(lambda: self._touch(hashes))

    def _touch(self, hashes: Sequence[str]) -> None:
        for each in hashes:
            with suppress(FileNotFoundError):
                self._mark_used(self._path(each))

    async def unused(self, older_than_seconds: float, limit: int) -> Sequence[str]:
        """Return hashes of blobs at least this old, oldest first."""
        return await self._run(lambda: self._unused(self._now() - older_than_seconds, limit))

    def _unused(self, horizon: float, limit: int) -> Sequence[str]:
        found = list[tuple[float, str]]()
        for number in range(_FOLDERS):
            found.extend(self._old_files(self._directory / f"{number:02x}", horizon))
        return [name for _, name in sorted(found)[:limit]]

    def _old_files(self, folder: Path, horizon: float) -> list[tuple[float, str]]:
        if not folder.is_dir():
            return []
        old = list[tuple[float, str]]()
        for entry in os.scandir(folder):
            with suppress(FileNotFoundError):
                used = entry.stat().st_mtime
                if entry.name.startswith(_PART):
                    if used < self._now() - _PART_SECONDS:
                        Path(entry).unlink()
                elif used <= horizon:
                    old.append((used, entry.name))
        return old

    async def discard(self, hashes: Sequence[str], older_than_seconds: float) -> int:
        """Delete those of these blobs that are still at least this old."""
        return await self._run(lambda: self._discard(hashes, self._now() - older_than_seconds))

    def _discard(self, hashes: Sequence[str], horizon: float) -> int:
        deleted = 0
        for each in hashes:
            path = self._path(each)
            with suppress(FileNotFoundError):
                if path.stat().st_mtime <= horizon:
                    path.unlink()
                    deleted += 1
        return deleted

    async def aclose(self) -> None:
        """Do nothing: no file is kept open."""

    def _path(self, sha256: str) -> Path:
        return self._directory / sha256[:2] / sha256

    def _mark_used(self, path: Path) -> None:
        now = self._now()
        os.utime(path, (now, now))

    async def _run(self, call: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(call)
        except OSError as exc:
            raise BlobUnavailableError(f"the blob directory {self._directory} cannot be used: {exc}") from exc


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
