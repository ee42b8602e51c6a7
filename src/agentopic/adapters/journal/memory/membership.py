"""Processes of the memory journal: entering, beating, burying, leaving."""

from __future__ import annotations

from collections.abc import Sequence

from agentopic.adapters.journal.memory.store import MemoryStore
from agentopic.adapters.journal.memory.tables import LaneEntry, ProcessEntry
from agentopic.adapters.journal.waiting import WAITING_KINDS
from agentopic.ports.journal import Peer, StoredRow


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
    """Free what a process holds, ready at once: whether a turn only waited, nobody but its process knew."""
    for lane in [lane for lane in store.lanes.values() if lane.owner == holder]:
        if crashed and lane.running is not None and not _is_suspended(store, lane):
            lane.deliveries[lane.running].crashes += 1
        lane.ready_at = store.now()
        store.free_lane(lane)
    for mark in store.marks.values():
        if mark.owner == holder:
            mark.owner = None


def _is_suspended(store: MemoryStore, lane: LaneEntry) -> bool:
    """Whether all that is open in the running turn are waits, so that it has no part in a crash."""
    if lane.running is None or lane.moved:
        return False
    steps = store.steps.get(lane.deliveries[lane.running].identity, {})
    kinds = [entry.row.kind for entry in steps.values() if entry.row.result is None]
    return bool(kinds) and all(kind in WAITING_KINDS for kind in kinds)
