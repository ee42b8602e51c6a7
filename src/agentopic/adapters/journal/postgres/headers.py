"""Record headers as one column: the names as a block that repeats, the lengths of the values, the values."""

from __future__ import annotations

import json
from functools import lru_cache
from itertools import accumulate, pairwise
from struct import Struct

from agentopic.errors import ValueRefusedError
from agentopic.ports.transport import Headers

_LENGTH = Struct(">I")


def pack_headers(headers: Headers) -> bytes:
    """Encode headers; few distinct tuples of names exist, so their block is made once.

    Raises:
        ValueRefusedError: a name holds NUL or a lone surrogate.
    """
    if not headers:
        return b""
    names, values = zip(*headers, strict=True)
    return b"".join((_names_block(names), _lengths(len(values)).pack(*map(len, values)), *values))


def unpack_headers(packed: bytes) -> Headers:
    """Decode what `pack_headers` made."""
    if not packed:
        return ()
    names_end = _LENGTH.size + _LENGTH.unpack_from(packed)[0]
    names = _names(packed[_LENGTH.size : names_end])
    lengths = _lengths(len(names))
    ends = accumulate(lengths.unpack_from(packed, names_end), initial=names_end + lengths.size)
    return tuple((name, packed[start:end]) for name, (start, end) in zip(names, pairwise(ends), strict=True))


@lru_cache(maxsize=1024)
def _names_block(names: tuple[str, ...]) -> bytes:
    if any("\0" in name for name in names):
        raise ValueRefusedError(f"a header name holds a NUL character: {names!r}")
    try:
        text = json.dumps(names, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError as exc:
        raise ValueRefusedError(f"a header name is not valid Unicode: {names!r}") from exc
    return _LENGTH.pack(len(text)) + text


@lru_cache(maxsize=1024)
def _names(text: bytes) -> tuple[str, ...]:
    return tuple(json.loads(text))


@lru_cache(maxsize=256)
def _lengths(count: int) -> Struct:
    return Struct(f">{count}I")
