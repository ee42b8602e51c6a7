"""The hash a blob is kept under, and the check that what was kept is still that."""

from __future__ import annotations

import hashlib
import re

from agentopic.errors import BlobCorruptError, BlobMissingError

_HASH = re.compile(r"[0-9a-f]{64}")


def content_hash(data: bytes) -> str:
    """Return the SHA-256 of bytes in lower-case hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def checked_hash(sha256: str) -> str:
    """Return a hash that may be looked up; what has another form, such as a path, is in no store.

    Raises:
        BlobMissingError: it is no SHA-256 in lower-case hexadecimal.
    """
    if _HASH.fullmatch(sha256) is None:
        raise BlobMissingError("a payload is named by something that is no SHA-256 in lower-case hexadecimal")
    return sha256


def verified(sha256: str, data: bytes | None, store: str) -> bytes:
    """Return the bytes found under a hash.

    Raises:
        BlobMissingError: none were found.
        BlobCorruptError: they have another hash.
    """
    if data is None:
        raise BlobMissingError(f"payload {sha256} is not in {store}: does its sender use the same AGENTOPIC_BLOBS?")
    found = content_hash(data)
    if found != sha256:
        raise BlobCorruptError(f"payload {sha256} in {store} is corrupt: its {len(data)} bytes have the hash {found}")
    return data
