"""Finishing turns in the memory journal (journal.md section 3, `commit`)."""

from __future__ import annotations

from collections.abc import Sequence

from agentopic.adapters.journal.memory.agents import change, version_of
from agentopic.adapters.journal.memory.ends import end, end_waiting
from agentopic.adapters.journal.memory.store import NEVER, MemoryStore
from agentopic.adapters.journal.memory.tables import LaneEntry
from agentopic.ports.journal import (
    Committed,
    Finish,
    Refusal,
    Started,
    StoredRow,
    TurnDeferred,
    TurnDone,
    TurnParked,
)


def commit(store: MemoryStore, me: int, turns: Sequence[Finish], sent: Sequence[StoredRow]) -> Committed:
    """Finish turns and drop acknowledged rows; a lost lane changes nothing."""
    store.alive(me)
    lost: set[bytes] = set()
    started: list[Started] = []
    rows: list[StoredRow] = []
    for turn in turns:
        lane = _held_lane(store, me, turn)
        if lane is None:
            lost.add(turn.lane)
        elif isinstance(turn, TurnDone):
            rows.extend(_finish(store, me, lane, turn))
            started.extend(_go_on(store, lane, turn))
        else:
            _put_off(store, lane, turn)
    _drop(store, sent)
    ended = {turn.lane for turn in turns} - lost
    _release(store, me, ended | {row.lane for row in sent if row.lane is not None})
    return Committed(lost=lost, started=started, rows=rows)


def _held_lane(store: MemoryStore, me: int, turn: Finish) -> LaneEntry | None:
    lane = store.lanes.get(turn.lane)
    if lane is None or (lane.owner, lane.token, lane.running) != (me, turn.token, turn.pos):
        return None
    if isinstance(turn, TurnDone) and turn.state is not None and turn.state.expected != version_of(store, lane.id):
        return None
    return lane


def _put_off(store: MemoryStore, lane: LaneEntry, turn: TurnDeferred | TurnParked) -> None:
    """Set when a turn is tried again: at once when it was cancelled or what it waits for has come."""
    delivery = lane.deliveries[turn.pos]
    delay = NEVER if turn.delay_seconds is None else turn.delay_seconds
    if isinstance(turn, TurnDeferred):
        delivery.failures += turn.failed
    else:
        steps = store.steps.get(turn.turn, {})
        if any(key in steps and steps[key].row.result is not None for key in turn.awaits):
            delay = 0.0
    lane.running = None
    lane.ready_at = store.now() + (0.0 if delivery.cancelled else delay)


def _finish(store: MemoryStore, me: int, lane: LaneEntry, turn: TurnDone) -> Sequence[StoredRow]:
    if turn.state is not None:
        change(store, lane, turn.state)
    if turn.asked:
        store.waits.pop(lane.id, None)
    rows = [store.add_lane_row(lane, row) for row in turn.outbox]
    return [*rows, *end(store, me, lane.deliveries[turn.pos], turn.outcome, turn.answer)]


def _go_on(store: MemoryStore, lane: LaneEntry, turn: TurnDone) -> Sequence[Started]:
    lane.running = None
    lane.ready_at = store.now()
    if turn.hand_back or lane.paused or not lane.deliveries:
        return ()
    return (store.start_head(lane),)


def _drop(store: MemoryStore, sent: Sequence[StoredRow]) -> None:
    for row in sent:
        store.process_rows.pop(row.id, None)
        if row.lane is not None and row.lane in store.lanes:
            store.lanes[row.lane].unsent.pop(row.id, None)


def _release(store: MemoryStore, me: int, touched: set[bytes]) -> None:
    """Give up the lanes that have neither a running turn nor an unsent row left."""
    for lane_id in touched:
        lane = store.lanes.get(lane_id)
        if lane is not None and lane.owner in (me, None) and lane.running is None and not lane.unsent:
            store.free_lane(lane)


def refuse(store: MemoryStore, me: int, refusals: Sequence[Refusal]) -> Sequence[StoredRow]:
    """Finish stored deliveries that nobody runs; their rows belong to this process, which need not hold the lanes."""
    store.alive(me)
    rows: list[StoredRow] = []
    for refusal in refusals:
        delivery = store.unfinished.get(refusal.identity)
        if delivery is None or delivery.lane != refusal.lane or store.lanes[delivery.lane].running == delivery.pos:
            continue
        rows.extend(end_waiting(store, me, delivery, refusal.outcome, refusal.answer))
        rows.extend(store.add_process_row(me, row) for row in refusal.outbox)
    return rows
