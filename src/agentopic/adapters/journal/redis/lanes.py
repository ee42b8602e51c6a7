"""Storing, taking and finishing deliveries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agentopic.adapters.journal.redis.batches import commit_words, intake_words, refusal_words, stale_partitions
from agentopic.adapters.journal.redis.membership import RedisMembership
from agentopic.adapters.journal.redis.rows import started, stored_rows
from agentopic.adapters.journal.redis.words import Words
from agentopic.adapters.journal.text import check_batch, check_refusals, check_turns
from agentopic.ports.journal import (
    Backlog,
    Committed,
    Finish,
    Holdings,
    IntakeBatch,
    Intaken,
    Refusal,
    Started,
    StoredRow,
)


class RedisLanes(RedisMembership):
    """The lanes of the port; each call is one script."""

    async def intake(self, me: int, batch: IntakeBatch) -> Intaken:
        """Store a batch and start free lanes into free slots."""
        check_batch(batch)
        stale, lanes, rows, repeats, cycles = await self._link.run("intake", intake_words(batch), me=me)
        stored = {delivery.identity: delivery for delivery in reversed(batch.deliveries)}
        return Intaken(
            stale=stale_partitions(batch.marks, stale),
            started=[started(lane, stored) for lane in lanes],
            rows=stored_rows(rows),
            repeats=repeats,
            cycles=frozenset(cycles),
        )

    async def take(self, me: int, free: Mapping[str, int]) -> Sequence[Started]:
        """Take up to `free[group]` ready lanes of each group, longest ready first."""
        words = Words((len(free),))
        for group, slots in free.items():
            words.put(group, slots)
        return [started(lane) for lane in await self._link.run("take", words, me=me)]

    async def commit(self, me: int, turns: Sequence[Finish], sent: Sequence[StoredRow] = ()) -> Committed:
        """Finish turns and drop acknowledged rows."""
        check_turns(turns)
        lost, lanes, rows = await self._link.run("commit", commit_words(turns, sent), me=me)
        return Committed(lost=frozenset(lost), started=list(map(started, lanes)), rows=stored_rows(rows))

    async def refuse(self, me: int, refusals: Sequence[Refusal]) -> Sequence[StoredRow]:
        """Finish stored deliveries that are not running, and return their rows to send, replies first."""
        check_refusals(refusals)
        return stored_rows(await self._link.run("refuse", refusal_words(refusals), me=me))

    async def held(self, me: int) -> Holdings:
        """Return what this process holds."""
        lanes, rows, beat = await self._link.run("held", me=me)
        return Holdings(lanes=list(map(started, lanes)), rows=stored_rows(rows), beat=beat)

    async def backlog(self, groups: Sequence[str]) -> Mapping[str, Backlog]:
        """Count unfinished work per group; rows of processes are under ''."""
        rows, *counts = await self._link.run("backlog", (len(groups), *groups))
        backlogs = {"": Backlog(deliveries=0, unsent=rows)}
        for group, deliveries, unsent, begun in zip(groups, counts[::3], counts[1::3], counts[2::3], strict=True):
            backlogs[group] = Backlog(deliveries=deliveries, unsent=unsent, unstarted=deliveries - begun)
        return backlogs
