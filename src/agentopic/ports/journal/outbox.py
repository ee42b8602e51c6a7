"""Outbox rows: records to publish, stored in the transaction that decided them."""

from __future__ import annotations

from typing import NamedTuple

from agentopic.core._immutable import immutable
from agentopic.ports.transport import Headers


@immutable
class OutboxRow:
    """A record that has been decided on and not yet been acknowledged by the broker."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    partition: int | None = None


class StoredRow(NamedTuple):
    """An outbox row with its place: ids rise in commit order within a lane."""

    id: int
    lane: bytes | None
    """The lane that sent it and keeps its order; None for rows that belong to the process and have no order."""
    row: OutboxRow
