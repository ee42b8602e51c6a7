"""Processes of the memory journal: entering, beating, burying, leaving."""

from __future__ import annotations

from collections.abc import Sequence

from agentopic.adapters.journal.memory.store import NEVER, MemoryStore
from agentopic.adapters.journal.memory.tables import LaneEntry, ProcessEntry
from agentopic.adapters.journal.waiting import WAITING_KINDS
from agentopic.ports.journal import Peer, StepRow, StoredRow


def join(store: MemoryStore, groups: Sequence[str], address: str) -> int:
    """Enter a new process."""
    me = next(store.ids)
    store.processes[me] = ProcessEntry(id=me, groups=tuple(groups), address=address)
    return me


class MemoryHeart:
    """The beat of one process."""

    def __init__(self, store: MemoryStore, me: int) -> None:
        self._store = store
        self._me = me

    async def beat(self) -> int:
        """Raise the beat and return it."""
        with self._store.lock:
            process = self._store.alive(self._me)
            process.beat += 1
            return process.beat


def peers(store: MemoryStore, me: int) -> Sequence[Peer]:
    """Return the others that still have to be buried or watched."""
    store.alive(me)
    return [
        Peer(id=process.id, groups=process.groups, beat=process.beat, gone=process.left)
        for process in store.processes.values()
        if process.ended_at is None and process.id != me
    ]


def bury(store: MemoryStore, me: int, peer: Peer) -> Sequence[StoredRow]:
    """Declare a peer dead unless its beat has risen; its rows pass to the caller."""
    store.alive(me)
    process = store.processes.get(peer.id)
    if process is None or process.ended_at is not None or process.beat != peer.beat:
        return ()
    process.ended_at = store.now()
    _free_holdings(store, peer.id, crashed=not process.left)
    adopted = [row for owner, row in store.process_rows.values() if owner == peer.id]
    for row in adopted:
        store.process_rows[row.id] = (me, row)
    return adopted


def leave(store: MemoryStore, me: int) -> None:
    """End cleanly; a process with unsent rows of its own stays visible, as gone, until a peer adopts them."""
    process = store.alive(me)
    process.left = True
    _free_holdings(store, me, crashed=False)
    if all(owner != me for owner, _ in store.process_rows.values()):
        process.ended_at = store.now()


def _free_holdings(store: MemoryStore, holder: int, *, crashed: bool) -> None:
    for lane in [lane for lane in store.lanes.values() if lane.owner == holder]:
        waits = _open_waits(store, lane)
        if crashed and lane.running is not None and not waits:
            lane.deliveries[lane.running].crashes += 1
        lane.ready_at = _ready_at(store, lane, waits)
        store.free_lane(lane)
    for mark in store.marks.values():
        if mark.owner == holder:
            mark.owner = None


def _open_waits(store: MemoryStore, lane: LaneEntry) -> Sequence[StepRow]:
    """Return the open steps of a suspended turn; none when it was running."""
    if lane.running is None or lane.moved:
        return ()
    steps = store.steps.get(lane.deliveries[lane.running].identity, {})
    waits = [entry.row for entry in steps.values() if entry.row.result is None]
    return waits if all(step.kind in WAITING_KINDS for step in waits) else ()


def _ready_at(store: MemoryStore, lane: LaneEntry, waits: Sequence[StepRow]) -> float:
    """When a freed lane may be taken: at once, unless its turn waits for timers and people alone."""
    now = store.now()
    cancelled = lane.running is not None and lane.deliveries[lane.running].cancelled
    if not waits or lane.unsent or cancelled or any(step.kind == "request" for step in waits):
        return now
    due = [step.due_ms for step in waits if step.due_ms is not None]
    return max(now, store.from_wall_ms(min(due))) if due else NEVER
