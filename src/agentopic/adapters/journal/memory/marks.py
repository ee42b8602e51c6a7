"""Partition leases and watermarks of the memory journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from agentopic.adapters.journal.memory.store import MemoryStore
from agentopic.adapters.journal.memory.tables import MarkEntry
from agentopic.ports.journal import MarkAdvance
from agentopic.ports.transport import TopicPartition


def lease(
    store: MemoryStore, me: int, group: str, partitions: Sequence[TopicPartition]
) -> Mapping[TopicPartition, int | None]:
    """Hold the fair share of the partitions: what is held, then what is free; a surplus is given back."""
    store.alive(me)
    wanted = sorted(set(partitions))
    share = -(-len(wanted) // _living(store, me, group))
    held = [place for (name, place), mark in store.marks.items() if name == group and mark.owner == me]
    kept = sorted(set(held) & set(wanted))[:share]
    for place in set(held) - set(kept):
        store.marks[group, place].owner = None
    free = [place for place in wanted if place not in held and _mark(store, group, place).owner is None]
    taken = [*kept, *free[: share - len(kept)]]
    for place in taken:
        store.marks[group, place].owner = me
    return {place: store.marks[group, place].next for place in sorted(taken)}


def _living(store: MemoryStore, me: int, group: str) -> int:
    return sum(
        process.id == me or (group in process.groups and process.is_living) for process in store.processes.values()
    )


def _mark(store: MemoryStore, group: str, place: TopicPartition) -> MarkEntry:
    return store.marks.setdefault((group, place), MarkEntry())


def advance(store: MemoryStore, me: int, group: str, marks: Sequence[MarkAdvance]) -> AbstractSet[TopicPartition]:
    """Advance the watermarks from the values the caller knows; return the partitions that have moved on."""
    stale: set[TopicPartition] = set()
    for advanced in marks:
        mark = _mark(store, group, advanced.partition)
        if mark.next != advanced.known or mark.owner not in (None, me):
            stale.add(advanced.partition)
        else:
            mark.next = advanced.next
    return stale
