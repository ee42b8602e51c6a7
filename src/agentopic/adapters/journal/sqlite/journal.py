"""The SQLite journal: the journal port over one file, for the processes of one machine."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager

from agentopic.adapters.journal.sqlite import commit, intake, lanes, marks, membership, steps, upkeep
from agentopic.adapters.journal.sqlite.database import Database, SqliteOptions
from agentopic.adapters.journal.sqlite.presence import Presence
from agentopic.adapters.journal.text import check_batch, check_intents, check_text, check_turns
from agentopic.ports.journal import (
    AgentState,
    Backlog,
    Committed,
    Heart,
    Holdings,
    IntakeBatch,
    Intaken,
    Peer,
    Started,
    StepIntent,
    StepResult,
    StepRow,
    StoredRow,
    TurnDeferred,
    TurnDone,
)
from agentopic.ports.transport import TopicPartition


class SqliteJournal:
    """The journal port over one SQLite file; each instance stands for one process.

    Writes are durable when a call returns (WAL, full synchronisation) and pass a fair gate shared by all
    programs that write the file. A process that ends without leaving is seen as gone at once.
    """

    def __init__(self, options: SqliteOptions) -> None:
        self._options = options
        self._database = Database(options)
        self._presence = Presence(options.path)

    async def start(self) -> None:
        """Open the file and bring its schema to this version."""
        await self._database.open()

    async def aclose(self) -> None:
        """Close the file; processes entered here that have not left count as gone. Idempotent."""
        await self._database.aclose()
        self._presence.close()

    async def join(self, groups: Sequence[str], address: str) -> int:
        """Enter a new process and return its id."""
        for group in groups:
            check_text("group", group)
        check_text("address", address)
        return await self._database.write(lambda tx: membership.join(tx, self._presence, groups, address))

    @asynccontextmanager
    async def heart(self, me: int) -> AsyncGenerator[Heart]:
        """Open the beat of this process over a connection of its own."""
        database = Database(self._options)
        await database.open()
        try:
            yield membership.SqliteHeart(database, me)
        finally:
            await database.aclose()

    async def peers(self, me: int) -> Sequence[Peer]:
        """Return the processes not dead and not this one."""
        return await self._database.read(lambda tx: membership.peers(tx, self._presence, me))

    async def bury(self, me: int, peer: Peer) -> Sequence[StoredRow]:
        """Declare a peer dead for ever, unless its beat has risen since it was read."""
        rows = await self._database.write(lambda tx: membership.bury(tx, me, peer))
        if rows is None:
            return ()
        self._presence.forget(peer.id)
        return rows

    async def leave(self, me: int) -> None:
        """End this process cleanly."""
        await self._database.write(lambda tx: membership.leave(tx, me))
        self._presence.forget(me)

    async def lease(
        self, me: int, group: str, partitions: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, int | None]:
        """Hold this process's fair share of the partitions and return it with the watermarks."""
        check_text("group", group)
        for place in partitions:
            check_text("topic", place.topic)
        return await self._database.write(lambda tx: marks.lease(tx, me, group, partitions))

    async def intake(self, me: int, batch: IntakeBatch) -> Intaken:
        """Store a batch and start free lanes into free slots."""
        check_batch(batch)
        return await self._database.write(lambda tx: intake.intake(tx, me, batch))

    async def take(self, me: int, free: Mapping[str, int]) -> Sequence[Started]:
        """Take up to `free[group]` ready lanes of each group, longest ready first."""
        return await self._database.write(lambda tx: lanes.take(tx, me, free))

    async def commit(
        self, me: int, turns: Sequence[TurnDone | TurnDeferred], sent: Sequence[StoredRow] = ()
    ) -> Committed:
        """Finish turns and drop acknowledged rows."""
        check_turns(turns)
        return await self._database.write(lambda tx: commit.commit(tx, me, turns, sent))

    async def held(self, me: int) -> Holdings:
        """Return what this process holds."""
        return await self._database.read(lambda tx: upkeep.held(tx, me))

    async def backlog(self, groups: Sequence[str]) -> Mapping[str, Backlog]:
        """Count unfinished work per group."""
        return await self._database.read(lambda tx: upkeep.backlog(tx, groups))

    async def open_steps(self, me: int, intents: Sequence[StepIntent]) -> Sequence[StepRow | None]:
        """Store intents and return the rows as stored."""
        check_intents(intents)
        return await self._database.write(lambda tx: steps.open_steps(tx, me, intents))

    async def close_steps(self, me: int, results: Sequence[StepResult]) -> Sequence[StepRow]:
        """Store results where none is stored and return what is stored now."""
        return await self._database.write(lambda tx: steps.close_steps(tx, me, results))

    async def recorded(self, turn: bytes) -> Sequence[StepRow]:
        """Return the steps of a turn, in the order of their intents."""
        return await self._database.read(lambda tx: steps.recorded(tx, turn))

    async def load(self, lane: bytes) -> AgentState | None:
        """Return the state of the agent whose lane this is."""
        return await self._database.read(lambda tx: upkeep.load(tx, lane))

    async def sweep(self, dedup_seconds: float) -> None:
        """Forget what is older than the horizon, in small portions."""
        horizon = self._options.now() - dedup_seconds
        after: int | None = 0
        while after is not None:
            start = after
            after = await self._database.write(lambda tx, start=start: upkeep.sweep_seen(tx, horizon, start))
        while await self._database.write(lambda tx: upkeep.sweep_rest(tx, horizon)):
            pass
