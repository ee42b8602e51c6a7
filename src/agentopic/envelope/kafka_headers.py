"""Record headers as one block of bytes: the names, which repeat, then the lengths of the values, then the values."""

from __future__ import annotations

import json
from functools import lru_cache
from struct import Struct

_LENGTH = Struct(">I")


def pack_headers(headers: tuple[tuple[str, bytes], ...]) -> bytes:
    """Return the block of some headers; few distinct tuples of names exist, so the part with them is made once."""
    if not headers:
        return b""
    names, values = zip(*headers, strict=True)
    return b"".join((_names_block(names), _lengths(len(values)).pack(*map(len, values)), *values))


def unpack_headers(packed: bytes) -> tuple[tuple[str, bytes], ...]:
    """Return the headers of a block that `pack_headers` made."""
    if not packed:
        return ()
    start = _LENGTH.size + _LENGTH.unpack_from(packed)[0]
    names = _names(packed[_LENGTH.size : start])
    lengths = _lengths(len(names))
    found = lengths.unpack_from(packed, start)
    start += lengths.size
    headers: list[tuple[str, bytes]] = []
    for name, length in zip(names, found, strict=True):
        end = start + length
        headers.append((name, packed[start:end]))
        start = end
    return tuple(headers)


@lru_cache(maxsize=1024)
def _names_block(names: tuple[str, ...]) -> bytes:
    text = json.dumps(names, separators=(",", ":")).encode()
    return _LENGTH.pack(len(text)) + text


@lru_cache(maxsize=1024)
def _names(text: bytes) -> tuple[str, ...]:
    return tuple(json.loads(text))


@lru_cache(maxsize=256)
def _lengths(count: int) -> Struct:
    return Struct(f">{count}I")
