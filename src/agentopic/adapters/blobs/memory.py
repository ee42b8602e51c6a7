"""Blobs in memory, for tests and for processes that share one interpreter."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from agentopic.adapters.blobs.content_hash import checked_hash, content_hash, verified


class MemoryBlobs:
    """The blob port over a dictionary; `now` is its clock in seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.stored: dict[str, bytes] = {}
        self._used: dict[str, float] = {}
        self._now = now

    async def start(self) -> None:
        """Do nothing: it is always ready."""

    async def put(self, data: bytes) -> str:
        """Store bytes and return their hash."""
        sha256 = content_hash(data)
        self.stored.setdefault(sha256, data)
        self._used[sha256] = self._now()
        return sha256

    async def get(self, sha256: str) -> bytes:
        """Return the bytes of a hash, verified."""
        return verified(sha256, self.stored.get(checked_hash(sha256)), "memory")

    async def touch(self, hashes: Sequence[str]) -> None:
        """Make the age of these blobs zero."""
        self._used.update((each, self._now()) for each in hashes if each in self.stored)

    async def unused(self, older_than_seconds: float, limit: int) -> Sequence[str]:
        """Return hashes of blobs at least this old, oldest first."""
        horizon = self._now() - older_than_seconds
        return sorted((each for each, used in self._used.items() if used <= horizon), key=self._used.__getitem__)[
            :limit
        ]

    async def discard(self, hashes: Sequence[str], older_than_seconds: float) -> int:
        """Delete those of these blobs that are still at least this old."""
        horizon = self._now() - older_than_seconds
        old = [each for each in set(hashes) if self._used.get(each, float("inf")) <= horizon]
        for each in old:
            del self.stored[each], self._used[each]
        return len(old)

    async def aclose(self) -> None:
        """Do nothing: what is stored lives as long as this object."""
