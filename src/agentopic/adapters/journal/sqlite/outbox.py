"""Outbox rows in the SQLite journal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from agentopic.adapters.journal.sqlite.transaction import Transaction
from agentopic.adapters.transport.sqlite_headers import pack_headers, unpack_headers
from agentopic.ports.journal import OutboxRow, StoredRow

_INSERT = """
    INSERT INTO j_outbox (id, lane, topic, partition, key, value, headers, owner) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_OF_LANE = """
    SELECT id, lane, topic, partition, key, value, headers FROM j_outbox INDEXED BY j_outbox_lane
    WHERE lane = ? ORDER BY id
"""
_OF_PROCESS = """
    SELECT id, lane, topic, partition, key, value, headers FROM j_outbox INDEXED BY j_outbox_owner
    WHERE owner = ? ORDER BY id
"""


class NewRows:
    """Rows decided on in one transaction, numbered in order and stored together."""

    def __init__(self, tx: Transaction, me: int) -> None:
        self._tx = tx
        self._me = me
        self.stored: list[StoredRow] = []

    def add(self, row: OutboxRow, lane: bytes | None = None) -> StoredRow:
        """Add a row of a lane, or of this process."""
        stored = StoredRow(self._tx.next_number("row"), lane, row)
        self.stored.append(stored)
        return stored

    def store(self) -> Sequence[StoredRow]:
        """Insert what was added and return it."""
        self._tx.execute_many(
            _INSERT,
            [
                (
                    number,
                    lane,
                    row.topic,
                    row.partition,
                    row.key,
                    row.value,
                    pack_headers(row.headers),
                    self._me if lane is None else None,
                )
                for number, lane, row in self.stored
            ],
        )
        return self.stored


def lane_rows(tx: Transaction, lane: bytes) -> Sequence[StoredRow]:
    """Return a lane's unsent rows in order."""
    return _stored(tx.rows(_OF_LANE, lane))


def process_rows(tx: Transaction, owner: int) -> Sequence[StoredRow]:
    """Return a process's unsent rows."""
    return _stored(tx.rows(_OF_PROCESS, owner))


def drop_rows(tx: Transaction, sent: Iterable[StoredRow]) -> None:
    """Delete acknowledged rows."""
    tx.execute_many("DELETE FROM j_outbox WHERE id = ?", [(row.id,) for row in sent])


def _stored(rows: Sequence[Any]) -> Sequence[StoredRow]:
    return [
        StoredRow(
            number,
            lane,
            OutboxRow(topic=topic, key=key, value=value, headers=unpack_headers(headers), partition=partition),
        )
        for number, lane, topic, partition, key, value, headers in rows
    ]
