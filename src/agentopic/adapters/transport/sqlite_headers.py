"""Record headers as one blob: length, name, length, value, and so on, in order."""

from __future__ import annotations

import struct
from functools import lru_cache

from agentopic.ports.transport import Headers

_LENGTH = struct.Struct("<I")


def pack_headers(headers: Headers) -> bytes:
    """Return the blob of some headers; the empty blob if there are none."""
    parts: list[bytes] = []
    for name, value in headers:
        parts += (_named(name), _LENGTH.pack(len(value)), value)
    return b"".join(parts)


@lru_cache(maxsize=1024)
def _named(name: str) -> bytes:
    encoded = name.encode()
    return _LENGTH.pack(len(encoded)) + encoded


def unpack_headers(blob: bytes) -> Headers:
    """Return the headers of a blob that `pack_headers` made."""
    parts: list[bytes] = []
    start = 0
    while start < len(blob):
        (length,) = _LENGTH.unpack_from(blob, start)
        start += _LENGTH.size + length
        parts.append(blob[start - length : start])
    return tuple((name.decode(), value) for name, value in zip(parts[::2], parts[1::2], strict=True))
