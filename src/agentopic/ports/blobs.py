"""The blob port: payloads too large to travel, kept under the hash of their content."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Blobs(Protocol):
    """A store of immutable bytes, each under its SHA-256 in lower-case hexadecimal.

    Ages are counted from the last `put` or `touch` by the store's own clock. Every call but `start` raises
    `BlobUnavailableError` when the store does not answer; all may be repeated.
    """

    async def start(self) -> None:
        """Make the store ready. Idempotent.

        Raises:
            UnreachableError: it cannot be reached or written.
        """
        ...

    async def put(self, data: bytes) -> str:
        """Store bytes durably and return their hash; bytes that are there already are only touched."""
        ...

    async def get(self, sha256: str) -> bytes:
        """Return the bytes of a hash, verified.

        Raises:
            BlobMissingError: they are not there.
            BlobCorruptError: what is there has another hash.
        """
        ...

    async def touch(self, hashes: Sequence[str]) -> None:
        """Make the age of these blobs zero; those that are not there are passed over."""
        ...

    async def unused(self, older_than_seconds: float, limit: int) -> Sequence[str]:
        """Return up to `limit` hashes of blobs at least this old, oldest first."""
        ...

    async def discard(self, hashes: Sequence[str], older_than_seconds: float) -> int:
        """Delete those of these blobs that are still at least this old, and return how many there were."""
        ...

    async def aclose(self) -> None:
        """Disconnect. Idempotent."""
        ...
