"""Finishing turns in the SQLite journal (journal.md section 3, `commit`)."""

from __future__ import annotations

from collections.abc import Sequence

from agentopic.adapters.journal.replies import reply_row
from agentopic.adapters.journal.sqlite.lanes import Lane, find_lane, release, start_head, state_version
from agentopic.adapters.journal.sqlite.outbox import NewRows, drop_rows
from agentopic.adapters.journal.sqlite.transaction import Transaction
from agentopic.adapters.transport.sqlite_headers import pack_headers
from agentopic.ports.journal import (
    Answer,
    Committed,
    ReplyAddress,
    Started,
    StateChange,
    StoredRow,
    TurnDeferred,
    TurnDone,
)


def commit(tx: Transaction, me: int, turns: Sequence[TurnDone | TurnDeferred], sent: Sequence[StoredRow]) -> Committed:
    """Finish turns and drop acknowledged rows; a lost lane changes nothing."""
    tx.check_alive(me)
    lost: set[bytes] = set()
    ended: set[bytes] = {row.lane for row in sent if row.lane is not None}
    started: list[Started] = []
    rows = NewRows(tx, me)
    for turn in turns:
        lane = _held_lane(tx, me, turn)
        if lane is None:
            lost.add(turn.lane)
            continue
        following = _end(tx, rows, lane, turn)
        if following is None:
            ended.add(lane.id)
        else:
            started.append(following)
    rows.store()
    drop_rows(tx, sent)
    release(tx, me, ended)
    return Committed(lost=lost, started=started, rows=rows.stored)


def _held_lane(tx: Transaction, me: int, turn: TurnDone | TurnDeferred) -> Lane | None:
    lane = find_lane(tx, turn.lane)
    if lane is None or (lane.owner, lane.token, lane.running) != (me, turn.token, turn.pos):
        return None
    if isinstance(turn, TurnDone) and turn.state is not None:
        return lane if turn.state.expected == state_version(tx, lane.id) else None
    return lane


def _end(tx: Transaction, rows: NewRows, lane: Lane, turn: TurnDone | TurnDeferred) -> Started | None:
    """Store the end of a turn; return the next head when the lane goes on."""
    if isinstance(turn, TurnDeferred):
        tx.execute("UPDATE j_delivery SET failures = failures + ? WHERE pos = ?", turn.failed, turn.pos)
        _pause(tx, lane, tx.now + turn.delay_seconds)
        return None
    _finish(tx, rows, lane, turn)
    if not turn.hand_back:
        following = start_head(tx, lane)
        if following is not None:
            return following
    _pause(tx, lane, tx.now)
    return None


def _pause(tx: Transaction, lane: Lane, ready_at: float) -> None:
    tx.execute("UPDATE j_lane SET running = NULL, ready_at = ? WHERE id = ?", ready_at, lane.id)


def _finish(tx: Transaction, rows: NewRows, lane: Lane, turn: TurnDone) -> None:
    (identity,) = tx.row("DELETE FROM j_delivery WHERE pos = ? RETURNING identity", turn.pos)
    if turn.outcome != "dead":
        tx.execute("DELETE FROM j_step WHERE turn = ?", identity)
    if turn.state is not None:
        _store_state(tx, lane.id, turn.state)
    for row in turn.outbox:
        rows.add(row, lane.id)
    if turn.answer is not None:
        _store_answer(tx, turn.answer)
        for address in tx.rows(
            "SELECT topic, partition FROM j_address WHERE pos = ? ORDER BY topic, partition", turn.pos
        ):
            rows.add(reply_row(turn.answer, ReplyAddress(*address)))
    tx.execute("DELETE FROM j_address WHERE pos = ?", turn.pos)


def _store_state(tx: Transaction, lane: bytes, change: StateChange) -> None:
    tx.execute("INSERT OR REPLACE INTO j_agent VALUES (?, ?, ?)", lane, change.expected + 1, change.snapshot)


def _store_answer(tx: Transaction, answer: Answer) -> None:
    tx.execute(
        "INSERT OR REPLACE INTO j_answer VALUES (?, ?, ?, ?, ?, ?)",
        answer.request_id,
        answer.outcome,
        answer.key,
        answer.value,
        pack_headers(answer.headers),
        tx.now + answer.keep_seconds,
    )
