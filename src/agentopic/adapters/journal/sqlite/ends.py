"""How a delivery ends in the SQLite journal: its steps, its answer, its replies."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from agentopic.adapters.journal.replies import reply_row
from agentopic.adapters.journal.sqlite.lanes import Lane, store_lanes
from agentopic.adapters.journal.sqlite.outbox import NewRows
from agentopic.adapters.journal.sqlite.transaction import Transaction
from agentopic.adapters.transport.sqlite_headers import pack_headers, unpack_headers
from agentopic.ports.journal import Answer, Outcome, ReplyAddress


def pack_addresses(addresses: Sequence[ReplyAddress]) -> str | None:
    """Return the column of some reply addresses."""
    return json.dumps(addresses) if addresses else None


def unpack_addresses(text: str | None) -> list[ReplyAddress]:
    """Return the reply addresses of a column."""
    return [] if text is None else [ReplyAddress(*address) for address in json.loads(text)]


def give(tx: Transaction, rows: NewRows, answer: Answer, addresses: Iterable[ReplyAddress]) -> None:
    """Store an answer and its reply to each address."""
    tx.execute(
        "INSERT OR REPLACE INTO j_answer VALUES (?, ?, ?, ?, ?, ?)",
        answer.request_id,
        answer.outcome,
        answer.key,
        answer.value,
        pack_headers(answer.headers),
        tx.now + answer.keep_seconds,
    )
    for address in sorted(set(addresses)):
        rows.add(reply_row(answer, address))


def find_answer(tx: Transaction, request_id: str) -> Answer | None:
    """Return a stored answer."""
    row = tx.row("SELECT outcome, key, value, headers FROM j_answer WHERE request_id = ?", request_id)
    if row is None:
        return None
    outcome, key, value, headers = row
    return Answer(
        request_id=request_id,
        outcome=outcome,
        key=key,
        value=value,
        headers=unpack_headers(headers),
        keep_seconds=0.0,
    )


def end_waiting(
    tx: Transaction, rows: NewRows, lane: Lane, pos: int, *, outcome: Outcome, answer: Answer | None
) -> None:
    """End a delivery that nobody runs; what follows a begun one is ready."""
    identity, addresses = tx.row("DELETE FROM j_delivery WHERE pos = ? RETURNING identity, addresses", pos)
    if outcome != "dead":
        tx.execute("DELETE FROM j_step WHERE turn = ?", identity)
    if answer is not None:
        give(tx, rows, answer, unpack_addresses(addresses))
    if is_begun(lane, pos):
        tx.execute("DELETE FROM j_wait WHERE caller = ?", lane.id)
        lane.end()
        lane.rouse(tx.now)
        store_lanes(tx, [lane])
    drop_idle(tx, lane.id)


def is_begun(lane: Lane, pos: int) -> bool:
    """Whether an attempt was ever made on a delivery: only the first of a lane has any."""
    return lane.attempts > 0 and pos == (lane.following if lane.running is None else lane.running)


_DROP_IDLE = """
    DELETE FROM j_lane WHERE id = ? AND owner IS NULL AND NOT paused
    AND NOT EXISTS (SELECT 1 FROM j_delivery WHERE lane = j_lane.id)
    AND NOT EXISTS (SELECT 1 FROM j_outbox WHERE lane = j_lane.id)
"""


def drop_idle(tx: Transaction, lane: bytes) -> None:
    """Delete a lane that nobody holds and that has nothing left to keep it for."""
    tx.execute(_DROP_IDLE, lane)
