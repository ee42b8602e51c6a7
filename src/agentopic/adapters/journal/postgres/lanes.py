"""Storing, taking and finishing deliveries: one call of the database each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from agentopic.adapters.journal.postgres.batches import commit_columns, intake_columns
from agentopic.adapters.journal.postgres.commands import refusal_columns
from agentopic.adapters.journal.postgres.link import Link, Row
from agentopic.adapters.journal.postgres.rows import read_rows, read_started, split_effects, stored_row
from agentopic.adapters.journal.replies import reply_row
from agentopic.ports.journal import (
    Backlog,
    Committed,
    Finish,
    Holdings,
    IntakeBatch,
    Intaken,
    Refusal,
    ReplyAddress,
    Started,
    StoredRow,
    TurnDone,
)

_EMPTY = Backlog(deliveries=0, unsent=0)


class PostgresLanes:
    """The lanes part of the journal."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def intake(self, me: int, batch: IntakeBatch) -> Intaken:
        """Store a batch and start free lanes into free slots."""
        effects = await self._link.invoke("intake", me, batch.group, batch.free, *intake_columns(batch))
        lanes, summary = split_effects(effects)
        refused: Sequence[int] = summary["refused"]
        stale = {batch.marks[number - 1].partition for number in refused}
        dead = [row for place, row in batch.dead if place not in stale]
        stored = {item.identity: item for item in reversed(batch.deliveries) if item.partition not in stale}
        return Intaken(
            stale=stale,
            started=await read_started(self._link, lanes, stored),
            rows=[
                *(StoredRow(row_id, None, row) for row_id, row in zip(summary["rows"], dead, strict=True)),
                *await read_rows(self._link, summary["reply_rows"]),
            ],
            repeats=summary["repeats"],
            cycles=frozenset(summary["cycles"] or ()),
        )

    async def take(self, me: int, free: Mapping[str, int]) -> Sequence[Started]:
        """Take up to `free[group]` unowned, ready lanes of each group, longest ready first."""
        lanes = await self._link.invoke("take", me, list(free), list(free.values()))
        started = await read_started(self._link, lanes)
        idle = {lane.lane for lane in started if lane.pos is None and not lane.unsent}
        if not idle:
            return started
        await self._link.invoke("release_idle", me, list(idle))
        return [lane for lane in started if lane.lane not in idle]

    async def commit(self, me: int, turns: Sequence[Finish], sent: Sequence[StoredRow] = ()) -> Committed:
        """Finish turns and drop acknowledged rows; a lost lane never fails its neighbours."""
        effects = await self._link.invoke("commit_turns", me, *commit_columns(turns, sent))
        lanes, summary = split_effects(effects)
        refused: Sequence[int] = summary["refused"]
        lost = frozenset(refused)
        return Committed(
            lost={turns[number - 1].lane for number in lost},
            started=await read_started(self._link, lanes),
            rows=_stored(turns, lost, summary),
        )

    async def refuse(self, me: int, refusals: Sequence[Refusal]) -> Sequence[StoredRow]:
        """Finish stored deliveries that are not running, and return their rows to send, replies first."""
        return [stored_row(row) for row in await self._link.invoke("refuse", me, *refusal_columns(refusals))]

    async def held(self, me: int) -> Holdings:
        """Return what this process holds; attempts are not counted again."""
        lanes, summary = split_effects(await self._link.invoke("held", me))
        return Holdings(
            lanes=await read_started(self._link, lanes),
            rows=await read_rows(self._link, summary["reply_rows"]),
            beat=summary["beat"],
        )

    async def backlog(self, groups: Sequence[str]) -> Mapping[str, Backlog]:
        """Count unfinished deliveries and unsent rows per group; process-owned rows are under ''."""
        rows = await self._link.invoke("backlog", list(groups))
        counted = {
            group: Backlog(deliveries=deliveries, unsent=unsent, unstarted=unstarted)
            for group, deliveries, unsent, unstarted in rows
        }
        return {group: counted.get(group, _EMPTY) for group in ("", *groups)}


def _stored(turns: Sequence[Finish], lost: Collection[int], summary: Row) -> Sequence[StoredRow]:
    """Pair the ids of stored rows with their content, which only the caller has: outputs, then replies."""
    kept = [turn for number, turn in enumerate(turns, 1) if number not in lost and isinstance(turn, TurnDone)]
    outputs = [(turn.lane, row) for turn in kept for row in turn.outbox]
    ids = summary["rows"] or ()
    rows = [StoredRow(row_id, lane, row) for row_id, (lane, row) in zip(ids, outputs, strict=True)]
    return [*rows, *_replies(turns, summary)] if summary["reply_rows"] else rows


def _replies(turns: Sequence[Finish], summary: Row) -> Sequence[StoredRow]:
    rows: list[StoredRow] = []
    numbers: Sequence[int] = summary["reply_turns"]
    addresses = zip(summary["reply_topics"], summary["reply_partitions"], strict=True)
    for row_id, number, (topic, partition) in zip(summary["reply_rows"], numbers, addresses, strict=True):
        turn = turns[number - 1]
        if isinstance(turn, TurnDone) and turn.answer is not None:
            rows.append(StoredRow(row_id, None, reply_row(turn.answer, ReplyAddress(topic, partition))))
    return rows
