"""Partition leases and watermarks of the SQLite journal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from agentopic.adapters.journal.sqlite.transaction import Transaction
from agentopic.ports.journal import MarkAdvance
from agentopic.ports.transport import TopicPartition


def lease(
    tx: Transaction, me: int, group: str, partitions: Sequence[TopicPartition]
) -> Mapping[TopicPartition, int | None]:
    """Hold the fair share of the partitions: what is held, then what is free; a surplus is given back."""
    tx.check_alive(me)
    wanted = sorted(set(partitions))
    marks = _marks(tx, group)
    share = -(-len(wanted) // _living(tx, me, group))
    held = {place for place, (_, owner) in marks.items() if owner == me}
    kept = [place for place in wanted if place in held][:share]
    free = [place for place in wanted if marks.get(place, (None, None))[1] is None]
    taken = free[: share - len(kept)]
    _set_owner(tx, group, None, held.difference(kept))
    _set_owner(tx, group, me, taken)
    return {place: marks.get(place, (None, None))[0] for place in sorted((*kept, *taken))}


def _marks(tx: Transaction, group: str) -> dict[TopicPartition, tuple[int | None, int | None]]:
    rows = tx.rows('SELECT topic, partition, next, owner FROM j_mark WHERE "group" = ?', group)
    return {TopicPartition(topic, partition): (following, owner) for topic, partition, following, owner in rows}


def _living(tx: Transaction, me: int, group: str) -> int:
    rows = tx.rows("SELECT id, groups FROM j_process WHERE ended_at IS NULL AND NOT has_left")
    return sum(process == me or group in json.loads(groups) for process, groups in rows)


def _set_owner(
    tx: Transaction,
    group: str,
    owner: int | None,
    places: Sequence[TopicPartition] | AbstractSet[TopicPartition],
) -> None:
    tx.execute_many(
        'INSERT INTO j_mark ("group", topic, partition, owner) VALUES (?, ?, ?, ?) '
        "ON CONFLICT DO UPDATE SET owner = excluded.owner",
        [(group, *place, owner) for place in places],
    )


def advance(tx: Transaction, me: int, group: str, marks: Sequence[MarkAdvance]) -> AbstractSet[TopicPartition]:
    """Advance the watermarks from the values the caller knows; return the partitions that have moved on."""
    return {mark.partition for mark in marks if not _advance(tx, me, group, mark)}


def _advance(tx: Transaction, me: int, group: str, mark: MarkAdvance) -> bool:
    stored = tx.row(
        'SELECT next, owner FROM j_mark WHERE "group" = ? AND topic = ? AND partition = ?',
        group,
        *mark.partition,
    )
    following, owner = stored or (None, None)
    if following != mark.known or owner not in (None, me):
        return False
    tx.execute(
        'INSERT INTO j_mark ("group", topic, partition, next) VALUES (?, ?, ?, ?) '
        "ON CONFLICT DO UPDATE SET next = excluded.next",
        group,
        *mark.partition,
        mark.next,
    )
    return True
