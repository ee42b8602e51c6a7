"""How a delivery ends in the memory journal: its steps, its answer, its replies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agentopic.adapters.journal.memory.store import MemoryStore
from agentopic.adapters.journal.memory.tables import DeliveryEntry
from agentopic.adapters.journal.replies import reply_row
from agentopic.ports.journal import Answer, Outcome, ReplyAddress, StoredRow


def end(
    store: MemoryStore, me: int, delivery: DeliveryEntry, outcome: Outcome, answer: Answer | None
) -> Sequence[StoredRow]:
    """Remove a delivery and answer it everywhere; return the replies. The steps of a dead letter are kept."""
    del store.lanes[delivery.lane].deliveries[delivery.pos]
    del store.unfinished[delivery.identity]
    if outcome != "dead":
        store.steps.pop(delivery.identity, None)
    return () if answer is None else give(store, me, answer, delivery.addresses)


def end_waiting(
    store: MemoryStore, me: int, delivery: DeliveryEntry, outcome: Outcome, answer: Answer | None
) -> Sequence[StoredRow]:
    """End a delivery that nobody runs; what follows a parked one is ready."""
    lane = store.lanes[delivery.lane]
    rows = end(store, me, delivery, outcome, answer)
    if delivery.attempts:
        store.waits.pop(lane.id, None)
        store.rouse(lane)
    if lane.owner is None and lane.is_idle:
        del store.lanes[lane.id]
    return rows


def give(store: MemoryStore, me: int, answer: Answer, addresses: Iterable[ReplyAddress]) -> Sequence[StoredRow]:
    """Store an answer and its reply to each address."""
    store.answers[answer.request_id] = (answer, store.now() + answer.keep_seconds)
    return [store.add_process_row(me, reply_row(answer, address)) for address in sorted(set(addresses))]
