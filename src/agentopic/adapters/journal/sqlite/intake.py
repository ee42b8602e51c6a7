"""Intake of the SQLite journal (journal.md section 3, `intake`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agentopic.adapters.journal.replies import reply_row
from agentopic.adapters.journal.sqlite.lanes import find_lane, start_head, take_lane
from agentopic.adapters.journal.sqlite.marks import advance
from agentopic.adapters.journal.sqlite.outbox import NewRows
from agentopic.adapters.journal.sqlite.transaction import Transaction
from agentopic.adapters.transport.sqlite_headers import unpack_headers
from agentopic.ports.journal import Answer, Incoming, IntakeBatch, Intaken, Started


def intake(tx: Transaction, me: int, batch: IntakeBatch) -> Intaken:
    """Store a batch and start free lanes into free slots."""
    tx.check_alive(me)
    stale = advance(tx, me, batch)
    rows = NewRows(tx, me)
    for place, row in batch.dead:
        if place not in stale:
            rows.add(row)
    idle: dict[bytes, bool] = {}
    repeats = 0
    for delivery in batch.deliveries:
        if delivery.partition in stale:
            continue
        if tx.execute("INSERT OR IGNORE INTO j_seen VALUES (?, ?)", delivery.identity, tx.now):
            if delivery.lane not in idle:
                idle[delivery.lane] = _prepare_lane(tx, delivery)
            _store(tx, delivery)
        else:
            repeats += 1
            _repeat(tx, rows, delivery)
    started = _start(tx, me, idle, batch.free)
    return Intaken(stale=stale, started=started, rows=rows.store(), repeats=repeats)


def _prepare_lane(tx: Transaction, delivery: Incoming) -> bool:
    """Make sure that the lane exists; True when nothing is waiting in it."""
    made = tx.execute(
        'INSERT OR IGNORE INTO j_lane (id, "group", key, ready_at) VALUES (?, ?, ?, ?)',
        delivery.lane,
        delivery.group,
        delivery.key,
        tx.now,
    )
    if made:
        return True
    if tx.row("SELECT 1 FROM j_delivery WHERE lane = ? LIMIT 1", delivery.lane) is not None:
        return False
    tx.execute("UPDATE j_lane SET ready_at = ? WHERE id = ?", tx.now, delivery.lane)
    return True


def _store(tx: Transaction, delivery: Incoming) -> None:
    pos = tx.next_number("pos")
    tx.execute(
        "INSERT INTO j_delivery (pos, lane, identity, head, body) VALUES (?, ?, ?, ?, ?)",
        pos,
        delivery.lane,
        delivery.identity,
        delivery.head,
        delivery.body,
    )
    if delivery.reply_to is not None:
        tx.execute("INSERT INTO j_address VALUES (?, ?, ?)", pos, *delivery.reply_to)


def _repeat(tx: Transaction, rows: NewRows, delivery: Incoming) -> None:
    """Answer a finished request again, or note one more address of an unfinished one."""
    address = delivery.reply_to
    if address is None or delivery.request_id is None:
        return
    unfinished = tx.row("SELECT pos FROM j_delivery WHERE identity = ?", delivery.identity)
    if unfinished is not None:
        tx.execute("INSERT OR IGNORE INTO j_address VALUES (?, ?, ?)", unfinished[0], *address)
        return
    answer = _answer(tx, delivery.request_id)
    if answer is not None:
        rows.add(reply_row(answer, address))


def _answer(tx: Transaction, request_id: str) -> Answer | None:
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


def _start(tx: Transaction, me: int, idle: Mapping[bytes, bool], free: int) -> Sequence[Started]:
    """Start lanes in order of arrival; one of ours that waits for its time is not hurried."""
    started: list[Started] = []
    for lane_id, was_idle in idle.items():
        if len(started) >= free:
            break
        lane = find_lane(tx, lane_id)
        if lane is None:
            continue
        if lane.owner is None and lane.ready_at <= tx.now:
            started.append(take_lane(tx, me, lane))
        elif lane.owner == me and was_idle and (head := start_head(tx, lane)) is not None:
            started.append(head)
    return started
