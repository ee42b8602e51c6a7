"""Finishing turns in the memory journal (journal.md section 3, `commit`)."""

from __future__ import annotations

from collections.abc import Sequence

from agentopic.adapters.journal.memory.store import DeliveryEntry, LaneEntry, MemoryStore
from agentopic.adapters.journal.replies import reply_row
from agentopic.ports.journal import (
    AgentState,
    Committed,
    Started,
    StateChange,
    StoredRow,
    TurnDeferred,
    TurnDone,
)


def commit(
    store: MemoryStore, me: int, turns: Sequence[TurnDone | TurnDeferred], sent: Sequence[StoredRow]
) -> Committed:
    """Finish turns and drop acknowledged rows; a lost lane changes nothing."""
    store.alive(me)
    lost: set[bytes] = set()
    started: list[Started] = []
    rows: list[StoredRow] = []
    for turn in turns:
        lane = _held_lane(store, me, turn)
        if lane is None:
            lost.add(turn.lane)
        elif isinstance(turn, TurnDeferred):
            _defer(store, lane, turn)
        else:
            rows.extend(_finish(store, me, lane, turn))
            started.extend(_go_on(store, lane, turn))
    _drop(store, sent)
    ended = {turn.lane for turn in turns} - lost
    _release(store, me, ended | {row.lane for row in sent if row.lane is not None})
    return Committed(lost=lost, started=started, rows=rows)


def _held_lane(store: MemoryStore, me: int, turn: TurnDone | TurnDeferred) -> LaneEntry | None:
    lane = store.lanes.get(turn.lane)
    if lane is None or (lane.owner, lane.token, lane.running) != (me, turn.token, turn.pos):
        return None
    if isinstance(turn, TurnDone) and turn.state is not None and turn.state.expected != _version(store, lane.id):
        return None
    return lane


def _version(store: MemoryStore, lane: bytes) -> int:
    state = store.states.get(lane)
    return 0 if state is None else state.version


def _defer(store: MemoryStore, lane: LaneEntry, turn: TurnDeferred) -> None:
    delivery = lane.deliveries[turn.pos]
    delivery.failures += turn.failed
    lane.running = None
    lane.ready_at = store.now() + turn.delay_seconds


def _finish(store: MemoryStore, me: int, lane: LaneEntry, turn: TurnDone) -> Sequence[StoredRow]:
    delivery = lane.deliveries.pop(turn.pos)
    del store.unfinished[delivery.identity]
    if turn.outcome != "dead":
        store.steps.pop(delivery.identity, None)
    if turn.state is not None:
        store.states[lane.id] = _next_state(turn.state)
    rows = [store.add_lane_row(lane, row) for row in turn.outbox]
    return [*rows, *_answer(store, me, delivery, turn)]


def _next_state(change: StateChange) -> AgentState:
    return AgentState(version=change.expected + 1, snapshot=change.snapshot)


def _answer(store: MemoryStore, me: int, delivery: DeliveryEntry, turn: TurnDone) -> Sequence[StoredRow]:
    if turn.answer is None:
        return ()
    store.answers[turn.answer.request_id] = (turn.answer, store.now() + turn.answer.keep_seconds)
    return [store.add_process_row(me, reply_row(turn.answer, address)) for address in sorted(delivery.addresses)]


def _go_on(store: MemoryStore, lane: LaneEntry, turn: TurnDone) -> Sequence[Started]:
    lane.running = None
    lane.ready_at = store.now()
    if turn.hand_back or not lane.deliveries:
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
