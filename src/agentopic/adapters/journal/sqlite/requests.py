"""Requests of callers outside a turn in the SQLite journal."""

from __future__ import annotations

from agentopic.adapters.journal.sqlite.transaction import Transaction
from agentopic.ports.journal import Outcome, RequestRow


def open_request(tx: Transaction, me: int, request_id: str, target: str, seconds: float | None) -> RequestRow:
    """Store a request, or find it."""
    tx.check_alive(me)
    due_at = None if seconds is None else tx.now + seconds
    fresh = tx.execute(
        "INSERT OR IGNORE INTO j_request (id, target, opened_at, due_at) VALUES (?, ?, ?, ?)",
        request_id,
        target,
        tx.now,
        due_at,
    )
    row = _row(tx, request_id, fresh=bool(fresh))
    return row or RequestRow(request_id=request_id, target=target, remaining_seconds=seconds)


def close_request(
    tx: Transaction, me: int, request_id: str, *, outcome: Outcome, value: bytes | None, keep_seconds: float
) -> RequestRow:
    """Store how a request ended; one that was forgotten stays forgotten."""
    tx.check_alive(me)
    tx.execute(
        "UPDATE j_request SET outcome = ?, value = ?, keep_until = ? WHERE id = ? AND outcome IS NULL",
        outcome,
        value,
        tx.now + keep_seconds,
        request_id,
    )
    row = _row(tx, request_id, fresh=False)
    return row or RequestRow(request_id=request_id, target="", remaining_seconds=None, outcome=outcome, value=value)


def _row(tx: Transaction, request_id: str, *, fresh: bool) -> RequestRow | None:
    row = tx.row("SELECT target, due_at, outcome, value FROM j_request WHERE id = ?", request_id)
    if row is None:
        return None
    target, due_at, outcome, value = row
    return RequestRow(
        request_id=request_id,
        target=target,
        remaining_seconds=None if due_at is None else due_at - tx.now,
        due_ms=None if due_at is None else int(due_at * 1000),
        outcome=outcome,
        value=value,
        fresh=fresh,
    )
