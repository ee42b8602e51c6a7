"""Event ids: time-ordered UUIDs for root events, digests of their cause for everything derived."""

from __future__ import annotations

import os
import threading
import time
from hashlib import blake2b

_TAIL_BITS = 74
_VARIANT = {digit: f"{int(digit, 16) & 0b11 | 0b1000:x}" for digit in "0123456789abcdef"}  # RFC 9562, section 4.1
_TAIL_FRESH = 73  # a fresh tail leaves the top bit clear, so that increments within one millisecond have room


class _Clock:
    """The last millisecond and the tail given out in it (RFC 9562, section 6.2, method 2)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._millisecond = -1
        self._tail = 0

    def next(self) -> tuple[int, int]:
        """Return a (millisecond, tail) pair greater than every earlier one of this process."""
        now = time.time_ns() // 1_000_000
        random = int.from_bytes(os.urandom(10))
        with self._lock:
            if now > self._millisecond:
                self._millisecond, self._tail = now, random >> (80 - _TAIL_FRESH)
            else:
                self._tail += 1 + (random & 0xFFFF_FFFF)
                if self._tail >> _TAIL_BITS:
                    self._millisecond, self._tail = self._millisecond + 1, random >> (80 - _TAIL_FRESH)
            return self._millisecond, self._tail

    def forget(self) -> None:
        """Start anew in a forked child, whose parent may hold the lock and will use the same tail."""
        self._lock = threading.Lock()
        self._millisecond, self._tail = -1, 0


_clock = _Clock()
os.register_at_fork(after_in_child=_clock.forget)


def new_id() -> str:
    """Return a UUIDv7 for a root event: unique everywhere, increasing within this process."""
    millisecond, tail = _clock.next()
    low = tail & ((1 << 62) - 1)
    return _text(millisecond << 80 | 0x7 << 76 | tail >> 62 << 64 | 0b10 << 62 | low)


def derive_id(*parts: str | int | bytes) -> str:
    """Return the id of something caused by `parts`: the same parts give the same id, everywhere and for ever.

    Different parts, or the same bytes split differently or of another type, give different ids. The result is
    a UUIDv8 (RFC 9562, section 5.8) over a BLAKE2b digest, 122 bits of which remain.
    """
    pieces: list[bytes] = []
    for part in parts:
        if isinstance(part, str):
            content = part.encode("utf-8", "surrogatepass")
            pieces.append(b"s%d:%b" % (len(content), content))
        elif isinstance(part, int):
            content = b"%d" % part
            pieces.append(b"i%d:%b" % (len(content), content))
        else:
            pieces.append(b"b%d:%b" % (len(part), part))
    digits = blake2b(b"".join(pieces), digest_size=16, person=b"agentopic-id").hexdigest()
    variant = _VARIANT[digits[16]]
    return f"{digits[:8]}-{digits[8:12]}-8{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def _text(value: int) -> str:
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
