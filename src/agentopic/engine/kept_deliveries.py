"""Kept deliveries: what intake has decoded waits here for its turn, so that the stored row is not decoded again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from agentopic.engine.delivery import Delivery, read_delivery
from agentopic.ports.clock import Clock
from agentopic.ports.journal import Incoming, Started

OBJECT_BYTES = 2_048
"""What the objects of a delivery take beside its texts and body, about."""
KEEP_SECONDS = 10.0
"""From then on one may make room for others: its lane runs elsewhere, or so late that decoding costs nothing."""

Decoded: TypeAlias = Sequence[tuple[Incoming, Delivery]]


class _Kept(NamedTuple):
    delivery: Delivery
    head: bytes
    size: int
    until: float


class KeptDeliveries:
    """The deliveries of one agent type that were stored by this process and not yet begun with, within some bytes.

    What is handed out is what the stored row says: one is used only for exactly the bytes it was stored as. When
    there is no room, those that came first stay: they are the next to run.
    """

    def __init__(self, limit_bytes: int, clock: Clock) -> None:
        self._limit, self._clock = limit_bytes, clock
        self._kept: dict[bytes, _Kept] = {}
        """By identity, oldest first."""
        self._bytes = 0

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._kept)

    def put(self, decoded: Decoded) -> bool:
        """Keep what has just been stored, as far as there is room; whether there was for all that is to be kept."""
        if not self._limit:
            return True  # nothing runs here
        now = self._clock.monotonic()
        for incoming, delivery in decoded:
            size = OBJECT_BYTES + 2 * len(incoming.head) + len(incoming.body or b"")
            if self._bytes + size > self._limit:
                self._drop_old(now)
                if self._bytes + size > self._limit:
                    return False
            if incoming.identity not in self._kept:
                self._kept[incoming.identity] = _Kept(delivery, incoming.head, size, now + KEEP_SECONDS)
                self._bytes += size
        return True

    def take(self, started: Started) -> Delivery:
        """Return the delivery at the head of a lane; it is kept no longer.

        Raises:
            JournalError: it was stored by a newer program.
        """
        kept = self._kept.pop(started.identity, None)
        if kept is None:
            return read_delivery(started)
        self._bytes -= kept.size
        if kept.head == started.head and kept.delivery.record.value == started.body:
            return kept.delivery
        return read_delivery(started)

    def _drop_old(self, now: float) -> None:
        while self._kept:
            identity, kept = next(iter(self._kept.items()))
            if kept.until > now:
                return
            del self._kept[identity]
            self._bytes -= kept.size
