"""Counting, reading back and forgetting in the memory journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agentopic.adapters.journal.memory.store import MemoryStore
from agentopic.ports.journal import Backlog, Holdings


def held(store: MemoryStore, me: int) -> Holdings:
    """Return what the store says this process holds."""
    store.alive(me)
    lanes = [store.started(lane, tuple(lane.unsent.values())) for lane in store.lanes.values() if lane.owner == me]
    return Holdings(lanes=lanes, rows=[row for owner, row in store.process_rows.values() if owner == me])


def backlog(store: MemoryStore, groups: Sequence[str]) -> Mapping[str, Backlog]:
    """Count unfinished work per group; rows of processes are under ''."""
    counts = {"": Backlog(deliveries=0, unsent=len(store.process_rows))}
    for group in groups:
        lanes = [lane for lane in store.lanes.values() if lane.group == group]
        counts[group] = Backlog(
            deliveries=sum(len(lane.deliveries) for lane in lanes),
            unsent=sum(len(lane.unsent) for lane in lanes),
        )
    return counts


def sweep(store: MemoryStore, dedup_seconds: float) -> None:
    """Forget what is older than the horizon; nothing that belongs to an unfinished delivery."""
    now = store.now()
    horizon = now - dedup_seconds
    live = store.unfinished.keys()
    store.seen = {identity: at for identity, at in store.seen.items() if at > horizon or identity in live}
    store.answers = {request: entry for request, entry in store.answers.items() if entry[1] > now}
    store.steps = {
        turn: steps
        for turn, steps in store.steps.items()
        if turn in live or any(step.opened_at > horizon for step in steps.values())
    }
    for process in [entry for entry in store.processes.values() if entry.ended_at is not None]:
        if process.ended_at is not None and process.ended_at <= horizon:
            del store.processes[process.id]
