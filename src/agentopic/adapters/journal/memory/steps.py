"""Steps of the memory journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agentopic.adapters.journal.memory.cycles import add_edge, cut_edge
from agentopic.adapters.journal.memory.spending import add
from agentopic.adapters.journal.memory.store import MemoryStore
from agentopic.adapters.journal.memory.tables import LaneEntry, StepEntry
from agentopic.adapters.journal.waiting import WAITING_KINDS, due_at_ms
from agentopic.ports.journal import Question, StepIntent, StepResult, StepRow


def open_steps(store: MemoryStore, me: int, intents: Sequence[StepIntent]) -> Sequence[StepRow | None]:
    """Store intents whose lane is still held under their token."""
    store.alive(me)
    return [_open(store, me, intent) for intent in intents]


def _open(store: MemoryStore, me: int, intent: StepIntent) -> StepRow | None:
    lane = store.lanes.get(intent.lane)
    if lane is None or (lane.owner, lane.token, lane.running) != (me, intent.token, intent.pos):
        return None
    entry = store.steps.get(intent.turn, {}).get(intent.key)
    row = _insert(store, lane, intent) if entry is None else _shown(store, entry)
    if intent.kind in WAITING_KINDS and row.result is None:
        lane.moved = False
    if intent.callee is not None and row.result is None:
        add_edge(store, lane.id, intent.callee, intent.key)
    return row


def _insert(store: MemoryStore, lane: LaneEntry, intent: StepIntent) -> StepRow:
    now_ms = store.wall_ms()
    due_ms = due_at_ms(now_ms, intent)
    row = StepRow(key=intent.key, kind=intent.kind, name=intent.name, result=None, due_ms=due_ms)
    entry = StepEntry(row=row, lane=lane.id, note=intent.note, opened_at=store.now(), opened_ms=now_ms)
    store.steps.setdefault(intent.turn, {})[intent.key] = entry
    rows = tuple(store.add_lane_row(lane, sent) for sent in intent.outbox)
    return replace(_shown(store, entry), fresh=True, rows=rows)


def _shown(store: MemoryStore, entry: StepEntry) -> StepRow:
    due_ms = entry.row.due_ms
    if due_ms is None:
        return entry.row
    return replace(entry.row, remaining_seconds=(due_ms - store.wall_ms()) / 1000)


def close_steps(store: MemoryStore, me: int, results: Sequence[StepResult]) -> Sequence[StepRow]:
    """Store results where none is stored yet; the steps of a finished turn are gone and stay gone."""
    store.alive(me)
    return [_close(store, me, result) for result in results]


def _close(store: MemoryStore, me: int, result: StepResult) -> StepRow:
    entry = store.steps.get(result.turn, {}).get(result.key)
    if result.token is not None and not _holds(store, me, result):
        row = StepRow(key=result.key, kind="", name="", result=None) if entry is None else _shown(store, entry)
        return replace(row, result=None)
    for spend in result.spend:
        add(store, spend)
    if result.lane is not None:
        cut_edge(store, result.lane, result.key)
    if entry is None:
        return StepRow(key=result.key, kind="", name="", result=result.result)
    if entry.row.result is None:
        entry.row = replace(entry.row, result=result.result)
        lane = None if result.lane is None else store.lanes.get(result.lane)
        if lane is not None:
            store.rouse(lane)
        if lane is not None and entry.row.kind in WAITING_KINDS:
            store.go_on(lane, result.turn)
    return _shown(store, entry)


def _holds(store: MemoryStore, me: int, result: StepResult) -> bool:
    lane = None if result.lane is None else store.lanes.get(result.lane)
    return lane is not None and (lane.owner, lane.token) == (me, result.token)


def recorded(store: MemoryStore, turn: bytes) -> Sequence[StepRow]:
    """Return a turn's steps in the order of their intents."""
    return [_shown(store, entry) for entry in store.steps.get(turn, {}).values()]


def questions(store: MemoryStore, groups: Sequence[str]) -> Sequence[Question]:
    """Return the open questions of unfinished turns, oldest first."""
    found: list[Question] = []
    for turn, steps in store.steps.items():
        delivery = store.unfinished.get(turn)
        lane = None if delivery is None else store.lanes[delivery.lane]
        if lane is not None and lane.group in groups:
            found.extend(_question(lane, turn, entry) for entry in steps.values() if _is_open_question(entry))
    return sorted(found, key=lambda question: question.asked_ms)


def _is_open_question(entry: StepEntry) -> bool:
    return entry.row.kind == "human" and entry.row.result is None


def _question(lane: LaneEntry, turn: bytes, entry: StepEntry) -> Question:
    return Question(
        group=lane.group,
        key=lane.key,
        turn=turn,
        step=entry.row.key,
        note=entry.note or b"",
        asked_ms=entry.opened_ms,
    )
