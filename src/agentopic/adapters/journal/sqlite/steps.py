"""Steps of the SQLite journal."""

from __future__ import annotations

from collections.abc import Sequence

from agentopic.adapters.journal.sqlite.lanes import find_lane
from agentopic.adapters.journal.sqlite.transaction import Transaction
from agentopic.ports.journal import StepIntent, StepResult, StepRow

_FIND = "SELECT key, kind, name, result FROM j_step WHERE turn = ? AND key = ?"
_RECORDED = "SELECT key, kind, name, result FROM j_step WHERE turn = ? ORDER BY seq"


def open_steps(tx: Transaction, me: int, intents: Sequence[StepIntent]) -> Sequence[StepRow | None]:
    """Store intents whose lane is still held under their token."""
    tx.check_alive(me)
    return [_open(tx, me, intent) for intent in intents]


def _open(tx: Transaction, me: int, intent: StepIntent) -> StepRow | None:
    lane = find_lane(tx, intent.lane)
    if lane is None or (lane.owner, lane.token, lane.running) != (me, intent.token, intent.pos):
        return None
    fresh = tx.execute(
        "INSERT OR IGNORE INTO j_step (turn, key, kind, name, token, opened_at) VALUES (?, ?, ?, ?, ?, ?)",
        intent.turn,
        intent.key,
        intent.kind,
        intent.name,
        intent.token,
        tx.now,
    )
    if fresh:
        return StepRow(key=intent.key, kind=intent.kind, name=intent.name, result=None, fresh=True)
    return _find(tx, intent.turn, intent.key)


def _find(tx: Transaction, turn: bytes, key: bytes) -> StepRow | None:
    row = tx.row(_FIND, turn, key)
    return None if row is None else _step(*row)


def _step(key: bytes, kind: str, name: str, result: bytes | None) -> StepRow:
    return StepRow(key=key, kind=kind, name=name, result=result)


def close_steps(tx: Transaction, me: int, results: Sequence[StepResult]) -> Sequence[StepRow]:
    """Store results where none is stored yet; the steps of a finished turn are gone and stay gone."""
    tx.check_alive(me)
    tx.execute_many(
        "UPDATE j_step SET result = ? WHERE turn = ? AND key = ? AND result IS NULL",
        [(result.result, result.turn, result.key) for result in results],
    )
    return [
        _find(tx, result.turn, result.key) or StepRow(key=result.key, kind="", name="", result=result.result)
        for result in results
    ]


def recorded(tx: Transaction, turn: bytes) -> Sequence[StepRow]:
    """Return a turn's steps in the order of their intents."""
    return [_step(*row) for row in tx.rows(_RECORDED, turn)]
