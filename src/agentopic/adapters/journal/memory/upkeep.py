"""Counting, reading back and forgetting in the memory journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from agentopic.adapters.journal.memory.store import MemoryStore
from agentopic.adapters.journal.memory.tables import RequestEntry
from agentopic.adapters.journal.waiting import RUN_SECONDS
from agentopic.ports.journal import Backlog, Holdings


def held(store: MemoryStore, me: int) -> Holdings:
    """Return what the store says this process holds."""
    beat = store.alive(me).beat
    lanes = [store.started(lane, tuple(lane.unsent.values())) for lane in store.lanes.values() if lane.owner == me]
    rows = [row for owner, row in store.process_rows.values() if owner == me]
    return Holdings(lanes=lanes, rows=rows, beat=beat)


def backlog(store: MemoryStore, groups: Sequence[str]) -> Mapping[str, Backlog]:
    """Count unfinished work per group; rows of processes are under ''."""
    counts = {"": Backlog(deliveries=0, unsent=len(store.process_rows))}
    for group in groups:
        lanes = [lane for lane in store.lanes.values() if lane.group == group]
        deliveries = sum(len(lane.deliveries) for lane in lanes)
        begun = sum((head := lane.head()) is not None and head.attempts > 0 for lane in lanes)
        counts[group] = Backlog(
            deliveries=deliveries,
            unsent=sum(len(lane.unsent) for lane in lanes),
            unstarted=deliveries - begun,
        )
    return counts


def mentioned(store: MemoryStore, texts: Sequence[str]) -> AbstractSet[str]:
    """Return the texts that unfinished deliveries or what is recorded for them contain."""
    values = [delivery.head for delivery in store.unfinished.values()]
    for turn in store.unfinished:
        values.extend(step.row.result or b"" for step in store.steps.get(turn, {}).values())
    return {text for text in texts if any(text.encode() in value for value in values)}


def sweep(store: MemoryStore, dedup_seconds: float) -> None:
    """Forget what is older than the horizon; nothing that belongs to an unfinished delivery."""
    now = store.now()
    horizon = now - dedup_seconds
    live = store.unfinished.keys()
    store.seen = {identity: at for identity, at in store.seen.items() if at > horizon or identity in live}
    store.answers = {request: entry for request, entry in store.answers.items() if entry[1] > now}
    store.requests = {request: entry for request, entry in store.requests.items() if not _is_past(entry, now, horizon)}
    store.steps = {
        turn: steps
        for turn, steps in store.steps.items()
        if turn in live or any(step.opened_at > horizon for step in steps.values())
    }
    store.spends = {
        scope: entry for scope, entry in store.spends.items() if entry.at > horizon or not scope.startswith("run/")
    }
    store.cancelled_runs = {run: at for run, at in store.cancelled_runs.items() if at > now - RUN_SECONDS}
    for process in [entry for entry in store.processes.values() if entry.ended_at is not None]:
        if process.ended_at is not None and process.ended_at <= horizon:
            del store.processes[process.id]


def _is_past(request: RequestEntry, now: float, horizon: float) -> bool:
    if request.keep_until is not None:
        return request.keep_until <= now
    return request.opened_at <= horizon and (request.due_at is None or request.due_at <= now)
