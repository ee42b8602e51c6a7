"""Steps of the SQLite journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agentopic.adapters.journal.sqlite.cycles import add_edge, cut_edge
from agentopic.adapters.journal.sqlite.lanes import Lane, find_lane
from agentopic.adapters.journal.sqlite.outbox import NewRows
from agentopic.adapters.journal.sqlite.spending import add
from agentopic.adapters.journal.sqlite.transaction import Transaction
from agentopic.adapters.journal.waiting import WAITING_KINDS, due_at_ms
from agentopic.ports.journal import Question, StepIntent, StepResult, StepRow

_FIND = "SELECT key, kind, name, result, due_ms FROM j_step WHERE turn = ? AND key = ?"
_RECORDED = "SELECT key, kind, name, result, due_ms FROM j_step WHERE turn = ? ORDER BY seq"
_INSERT = """
    INSERT OR IGNORE INTO j_step (turn, key, lane, kind, name, token, opened_at, due_ms, note)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_QUESTIONS = """
    SELECT j_lane."group", j_lane.key, j_step.turn, j_step.key, j_step.note, j_step.opened_at
    FROM j_step JOIN j_delivery ON j_delivery.identity = j_step.turn JOIN j_lane ON j_lane.id = j_delivery.lane
    WHERE j_step.kind = 'human' AND j_step.result IS NULL ORDER BY j_step.opened_at, j_step.seq
"""


_GO_ON = """
    UPDATE j_lane SET moved = 1
    WHERE id = ? AND running = (SELECT pos FROM j_delivery WHERE identity = ?) AND NOT moved
"""


def open_steps(tx: Transaction, me: int, intents: Sequence[StepIntent]) -> Sequence[StepRow | None]:
    """Store intents whose lane is still held under their token."""
    tx.check_alive(me)
    rows = NewRows(tx, me)
    opened = [_open(tx, me, rows, intent) for intent in intents]
    rows.store()
    return opened


def _open(tx: Transaction, me: int, rows: NewRows, intent: StepIntent) -> StepRow | None:
    lane = find_lane(tx, intent.lane)
    if lane is None or (lane.owner, lane.token, lane.running) != (me, intent.token, intent.pos):
        return None
    row = _insert(tx, rows, lane, intent) or _find(tx, intent.turn, intent.key)
    if row is None or row.result is not None:
        return row
    if lane.moved and intent.kind in WAITING_KINDS:
        tx.execute("UPDATE j_lane SET moved = 0 WHERE id = ?", lane.id)
    if intent.callee is not None:
        add_edge(tx, lane.id, intent.callee, intent.key)
    return row


def _insert(tx: Transaction, rows: NewRows, lane: Lane, intent: StepIntent) -> StepRow | None:
    due_ms = due_at_ms(tx.now_ms, intent)
    fresh = tx.execute(
        _INSERT,
        intent.turn,
        intent.key,
        lane.id,
        intent.kind,
        intent.name,
        intent.token,
        tx.now,
        due_ms,
        intent.note,
    )
    if not fresh:
        return None
    sent = tuple(rows.add(row, lane.id) for row in intent.outbox)
    return replace(_step(tx, intent.key, intent.kind, intent.name, None, due_ms), fresh=True, rows=sent)


def _find(tx: Transaction, turn: bytes, key: bytes) -> StepRow | None:
    row = tx.row(_FIND, turn, key)
    return None if row is None else _step(tx, *row)


def _step(tx: Transaction, key: bytes, kind: str, name: str, result: bytes | None, due_ms: int | None) -> StepRow:  # noqa: PLR0917 - the columns
    remaining = None if due_ms is None else (due_ms - tx.now_ms) / 1000
    return StepRow(key=key, kind=kind, name=name, result=result, due_ms=due_ms, remaining_seconds=remaining)


def close_steps(tx: Transaction, me: int, results: Sequence[StepResult]) -> Sequence[StepRow]:
    """Store results where none is stored yet; the steps of a finished turn are gone and stay gone."""
    tx.check_alive(me)
    return [_close(tx, me, result) for result in results]


def _close(tx: Transaction, me: int, result: StepResult) -> StepRow:
    if result.token is not None and not _holds(tx, me, result):
        row = _find(tx, result.turn, result.key) or StepRow(key=result.key, kind="", name="", result=None)
        return replace(row, result=None)
    for spend in result.spend:
        add(tx, spend)
    first = tx.row(
        "UPDATE j_step SET result = ? WHERE turn = ? AND key = ? AND result IS NULL RETURNING kind",
        result.result,
        result.turn,
        result.key,
    )
    if result.lane is not None:
        cut_edge(tx, result.lane, result.key)
        if first is not None:
            rouse(tx, result.lane)
        if first is not None and first[0] in WAITING_KINDS:
            go_on(tx, result.lane, result.turn)
    return _find(tx, result.turn, result.key) or StepRow(key=result.key, kind="", name="", result=result.result)


def _holds(tx: Transaction, me: int, result: StepResult) -> bool:
    holder = tx.row("SELECT owner, token FROM j_lane WHERE id = ?", result.lane)
    return holder == (me, result.token)


def rouse(tx: Transaction, lane: bytes) -> None:
    """Make a lane ready whose turn does not run, at once or as soon as its rows are sent."""
    tx.execute(
        "UPDATE j_lane SET ready_at = min(ready_at, ?) WHERE id = ? AND running IS NULL",
        tx.now,
        lane,
    )


def go_on(tx: Transaction, lane: bytes, turn: bytes) -> None:
    """Note that something a turn has waited for is there, when it is the one that runs."""
    tx.execute(_GO_ON, lane, turn)


def recorded(tx: Transaction, turn: bytes) -> Sequence[StepRow]:
    """Return a turn's steps in the order of their intents."""
    return [_step(tx, *row) for row in tx.rows(_RECORDED, turn)]


def questions(tx: Transaction, groups: Sequence[str]) -> Sequence[Question]:
    """Return the open questions of unfinished turns, oldest first."""
    return [
        Question(group=group, key=key, turn=turn, step=step, note=note or b"", asked_ms=round(opened_at * 1000))
        for group, key, turn, step, note, opened_at in tx.rows(_QUESTIONS)
        if group in groups
    ]
