"""Who waits for whom in the memory journal (journal.md rule 11)."""

from __future__ import annotations

from agentopic.adapters.journal.memory.store import MemoryStore
from agentopic.adapters.journal.memory.tables import DeliveryEntry

REACH = 64
"""How many lanes a walk visits at most."""


def add_edge(store: MemoryStore, caller: bytes, callee: bytes, step: bytes) -> None:
    """Note that a turn of one lane waits for the other."""
    store.waits.setdefault(caller, {})[callee, step] = None


def cut_edge(store: MemoryStore, caller: bytes, step: bytes) -> None:
    """Drop what one step waited for."""
    edges = store.waits.get(caller, {})
    _drop(store, caller, [edge for edge in edges if edge[1] == step])


def _drop(store: MemoryStore, caller: bytes, edges: list[tuple[bytes, bytes]]) -> None:
    kept = store.waits.get(caller, {})
    for edge in edges:
        del kept[edge]
    if not kept:
        store.waits.pop(caller, None)


def closes_cycle(store: MemoryStore, delivery: DeliveryEntry, caller: bytes | None) -> bool:
    """Whether a stored request waits behind a turn that waits for its caller; if so its edge is cut."""
    head = store.lanes[delivery.lane].head()
    if caller is None or head is None or head is delivery or not head.attempts:
        return False
    if not _reaches(store, delivery.lane, caller):
        return False
    _drop(store, caller, [edge for edge in store.waits.get(caller, {}) if edge[0] == delivery.lane])
    return True


def _reaches(store: MemoryStore, start: bytes, goal: bytes) -> bool:
    met = [start]
    for lane in met:
        if lane == goal:
            return True
        met.extend(dict.fromkeys(callee for callee, _ in store.waits.get(lane, ()) if callee not in met))
        del met[REACH:]
    return False
