"""Steps of the memory journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agentopic.adapters.journal.memory.store import MemoryStore, StepEntry
from agentopic.ports.journal import StepIntent, StepResult, StepRow


def open_steps(store: MemoryStore, me: int, intents: Sequence[StepIntent]) -> Sequence[StepRow | None]:
    """Store intents whose lane is still held under their token."""
    store.alive(me)
    return [_open(store, me, intent) for intent in intents]


def _open(store: MemoryStore, me: int, intent: StepIntent) -> StepRow | None:
    lane = store.lanes.get(intent.lane)
    if lane is None or (lane.owner, lane.token, lane.running) != (me, intent.token, intent.pos):
        return None
    steps = store.steps.setdefault(intent.turn, {})
    if intent.key in steps:
        return steps[intent.key].row
    row = StepRow(key=intent.key, kind=intent.kind, name=intent.name, result=None)
    steps[intent.key] = StepEntry(row=row, opened_at=store.now())
    return replace(row, fresh=True)


def close_steps(store: MemoryStore, me: int, results: Sequence[StepResult]) -> Sequence[StepRow]:
    """Store results where none is stored yet; the steps of a finished turn are gone and stay gone."""
    store.alive(me)
    return [_close(store, result) for result in results]


def _close(store: MemoryStore, result: StepResult) -> StepRow:
    entry = store.steps.get(result.turn, {}).get(result.key)
    if entry is None:
        return StepRow(key=result.key, kind="", name="", result=result.result)
    if entry.row.result is None:
        entry.row = replace(entry.row, result=result.result)
    return entry.row


def recorded(store: MemoryStore, turn: bytes) -> Sequence[StepRow]:
    """Return a turn's steps in the order of their intents."""
    return [entry.row for entry in store.steps.get(turn, {}).values()]
