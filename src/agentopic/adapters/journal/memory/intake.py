"""Intake of the memory journal (journal.md section 3, `intake`), and taking lanes."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence

from agentopic.adapters.journal.memory.cycles import closes_cycle
from agentopic.adapters.journal.memory.marks import advance
from agentopic.adapters.journal.memory.store import MemoryStore
from agentopic.adapters.journal.memory.tables import DeliveryEntry
from agentopic.adapters.journal.replies import reply_row
from agentopic.ports.journal import Incoming, IntakeBatch, Intaken, Started, StoredRow


def intake(store: MemoryStore, me: int, batch: IntakeBatch) -> Intaken:
    """Store a batch and start free lanes into free slots."""
    store.alive(me)
    stale = advance(store, me, batch.group, batch.marks)
    current = [delivery for delivery in batch.deliveries if delivery.partition not in stale]
    rows = [store.add_process_row(me, row) for place, row in batch.dead if place not in stale]
    touched: dict[bytes, bool] = {}
    repeats = 0
    for delivery in current:
        if delivery.identity in store.seen or delivery.identity in store.unfinished:
            rows.extend(_repeat(store, me, delivery))
            repeats += 1
        else:
            idle = _store(store, delivery)
            touched.setdefault(delivery.lane, idle)
    started = _start(store, me, touched, batch.free)
    return Intaken(stale=stale, started=started, rows=rows, repeats=repeats, cycles=_cycles(store, current))


def _repeat(store: MemoryStore, me: int, delivery: Incoming) -> Iterable[StoredRow]:
    address = delivery.reply_to
    if address is None or delivery.request_id is None:
        return ()
    entry = store.unfinished.get(delivery.identity)
    if entry is not None:
        if address not in entry.addresses:
            entry.addresses.append(address)
        return ()
    answer = store.answers.get(delivery.request_id)
    return () if answer is None else (store.add_process_row(me, reply_row(answer[0], address)),)


def _store(store: MemoryStore, delivery: Incoming) -> bool:
    """Append a delivery to its lane; True when nothing was waiting there."""
    lane = store.lanes.get(delivery.lane)
    if lane is None:
        lane = store.add_lane(delivery.lane, delivery.group, delivery.key)
    idle = not lane.deliveries
    if idle:
        store.set_ready(lane, store.now())
    entry = DeliveryEntry(
        pos=next(store.positions),
        lane=lane.id,
        identity=delivery.identity,
        head=delivery.head,
        body=delivery.body,
        request_id=delivery.request_id,
        addresses=[] if delivery.reply_to is None else [delivery.reply_to],
        deadline_ms=delivery.deadline_ms,
        caller=delivery.caller,
    )
    lane.deliveries[entry.pos] = entry
    store.unfinished[entry.identity] = entry
    store.seen[entry.identity] = store.now()
    return idle


def _cycles(store: MemoryStore, deliveries: Sequence[Incoming]) -> frozenset[bytes]:
    """Judge the requests of agents, fresh ones and unfinished repeats, once all are stored and lanes are started."""
    named: dict[bytes, None] = {}
    for delivery in deliveries:
        entry = store.unfinished.get(delivery.identity)
        if entry is not None and entry.identity not in named and closes_cycle(store, entry, delivery.caller):
            named[entry.identity] = None
    return frozenset(named)


def _start(store: MemoryStore, me: int, touched: Mapping[bytes, bool], free: int) -> Sequence[Started]:
    """Start lanes in order of arrival; one of ours that waits for its time is not hurried."""
    started: list[Started] = []
    now = store.now()
    for lane_id, idle in touched.items():
        if len(started) >= free:
            break
        lane = store.lanes[lane_id]
        if lane.paused:
            continue
        if lane.owner is None and lane.ready_at <= now:
            started.append(store.take_lane(me, lane))
        elif lane.owner == me and idle:
            started.append(store.start_head(lane))
    return started


def take(store: MemoryStore, me: int, free: Mapping[str, int]) -> Sequence[Started]:
    """Take the free lanes that have been ready for longest."""
    store.alive(me)
    started: list[Started] = []
    for group, slots in free.items():
        started.extend(_take(store, me, group, slots))
    return started


def _take(store: MemoryStore, me: int, group: str, slots: int) -> Sequence[Started]:
    ready = store.ready[group]
    started: list[Started] = []
    now = store.now()
    while ready and len(started) < slots and ready[0][0] <= now:
        at, lane_id = heapq.heappop(ready)
        lane = store.lanes.get(lane_id)
        if lane is None or lane.owner is not None or lane.ready_at != at:
            continue
        if lane.is_idle:
            del store.lanes[lane_id]
        elif lane.unsent or not lane.paused:
            started.append(store.take_lane(me, lane))
    return started
