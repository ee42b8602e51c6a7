"""Requests of callers outside a turn in the memory journal."""

from __future__ import annotations

from agentopic.adapters.journal.memory.store import MemoryStore
from agentopic.adapters.journal.memory.tables import RequestEntry
from agentopic.ports.journal import Outcome, RequestRow


def open_request(store: MemoryStore, me: int, request_id: str, target: str, seconds: float | None) -> RequestRow:
    """Store a request, or find it."""
    store.alive(me)
    fresh = request_id not in store.requests
    if fresh:
        now = store.now()
        due_at = None if seconds is None else now + seconds
        store.requests[request_id] = RequestEntry(target=target, opened_at=now, due_at=due_at)
    return _row(store, request_id, fresh=fresh)


def close_request(
    store: MemoryStore, me: int, request_id: str, *, outcome: Outcome, value: bytes | None, keep_seconds: float
) -> RequestRow:
    """Store how a request ended; one that was forgotten stays forgotten."""
    store.alive(me)
    entry = store.requests.get(request_id)
    if entry is None:
        return RequestRow(request_id=request_id, target="", remaining_seconds=None, outcome=outcome, value=value)
    if entry.outcome is None:
        entry.outcome, entry.value, entry.keep_until = outcome, value, store.now() + keep_seconds
    return _row(store, request_id, fresh=False)


def _row(store: MemoryStore, request_id: str, *, fresh: bool) -> RequestRow:
    entry = store.requests[request_id]
    return RequestRow(
        request_id=request_id,
        target=entry.target,
        remaining_seconds=None if entry.due_at is None else entry.due_at - store.now(),
        due_ms=None if entry.due_at is None else store.wall_ms(entry.due_at),
        outcome=entry.outcome,
        value=entry.value,
        fresh=fresh,
    )
