"""Record headers as one blob of a SQLite file: a block behind a mark; older files have lengths and texts in turn."""

from __future__ import annotations

import struct

from agentopic.envelope import kafka_headers
from agentopic.ports.transport import Headers

_MARK = b"\xff\xff\xff\xff"
"""What a blob of the older form cannot begin with: it would be a name of 4 GiB."""
_LENGTH = struct.Struct("<I")


def pack_headers(headers: Headers) -> bytes:
    """Return the blob of some headers; the empty blob if there are none."""
    return _MARK + kafka_headers.pack_headers(headers) if headers else b""


def unpack_headers(blob: bytes) -> Headers:
    """Return the headers of a blob, in their order, whichever form it has."""
    if blob.startswith(_MARK):
        return kafka_headers.unpack_headers(blob[len(_MARK) :])
    parts: list[bytes] = []
    start = 0
    while start < len(blob):
        (length,) = _LENGTH.unpack_from(blob, start)
        start += _LENGTH.size + length
        parts.append(blob[start - length : start])
    return tuple((name.decode(), value) for name, value in zip(parts[::2], parts[1::2], strict=True))
