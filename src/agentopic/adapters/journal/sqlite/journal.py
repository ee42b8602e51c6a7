"""The SQLite journal: the journal port over one file, for the processes of one machine."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager

from agentopic.adapters.journal.carried import check_rows
from agentopic.adapters.journal.sqlite import (
    agents,
    commit,
    control,
    dumping,
    intake,
    lanes,
    marks,
    membership,
    requests,
    restoring,
    spending,
    steps,
    upkeep,
)
from agentopic.adapters.journal.sqlite.database import Database, SqliteOptions
from agentopic.adapters.journal.sqlite.presence import Presence
from agentopic.adapters.journal.text import (
    check_batch,
    check_control,
    check_intents,
    check_refusals,
    check_results,
    check_spending,
    check_text,
    check_turns,
)
from agentopic.ports.journal import (
    AgentState,
    Backlog,
    Committed,
    ControlBatch,
    Controlled,
    Finish,
    Heart,
    Holdings,
    IntakeBatch,
    Intaken,
    Letter,
    Outcome,
    Peer,
    PortableRow,
    Question,
    Refusal,
    RequestRow,
    Spend,
    Started,
    StepIntent,
    StepResult,
    StepRow,
    StoredRow,
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

    async def commit(self, me: int, turns: Sequence[Finish], sent: Sequence[StoredRow] = ()) -> Committed:
        """Finish turns and drop acknowledged rows."""
        check_turns(turns)
        return await self._database.write(lambda tx: commit.commit(tx, me, turns, sent))

    async def refuse(self, me: int, refusals: Sequence[Refusal]) -> Sequence[StoredRow]:
        """Finish stored deliveries that are not running, and return their rows to send, replies first."""
        check_refusals(refusals)
        return await self._database.write(lambda tx: commit.refuse(tx, me, refusals))

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
        check_results(results)
        return await self._database.write(lambda tx: steps.close_steps(tx, me, results))

    async def recorded(self, turn: bytes) -> Sequence[StepRow]:
        """Return the steps of a turn, in the order of their intents."""
        return await self._database.read(lambda tx: steps.recorded(tx, turn))

    async def questions(self, groups: Sequence[str]) -> Sequence[Question]:
        """Return the open questions of these groups' unfinished turns, oldest first."""
        return await self._database.read(lambda tx: steps.questions(tx, groups))

    async def load(self, lane: bytes) -> AgentState | None:
        """Return the state of the agent whose lane this is."""
        return await self._database.read(lambda tx: agents.load(tx, lane))

    async def control(self, me: int, batch: ControlBatch) -> Controlled:
        """Apply commands in order, mail to holders included."""
        check_control(batch)
        return await self._database.write(lambda tx: control.control(tx, me, batch))

    async def mail(self, me: int) -> Sequence[Letter]:
        """Take this process's mail."""
        if not await self._database.read(lambda tx: control.has_mail(tx, me)):
            return ()
        return await self._database.write(lambda tx: control.mail(tx, me))

    async def cancelled_runs(self) -> AbstractSet[str]:
        """Return the runs cancelled within the last day."""
        return await self._database.read(control.cancelled_runs)

    async def open_request(self, me: int, request_id: str, target: str, seconds: float | None) -> RequestRow:
        """Store a request, or return the one found."""
        check_text("request id", request_id)
        check_text("target", target)
        return await self._database.write(lambda tx: requests.open_request(tx, me, request_id, target, seconds))

    async def close_request(
        self, me: int, request_id: str, outcome: Outcome, value: bytes | None, keep_seconds: float
    ) -> RequestRow:
        """Store how a request ended, where nothing is stored yet, and return the row as it stands."""
        return await self._database.write(
            lambda tx: requests.close_request(
                tx, me, request_id, outcome=outcome, value=value, keep_seconds=keep_seconds
            )
        )

    async def spend(self, me: int, entries: Sequence[Spend]) -> None:
        """Add entries to their scopes."""
        check_spending(entries)
        await self._database.write(lambda tx: spending.spend(tx, me, entries))

    async def spent(self, scopes: Sequence[str]) -> Mapping[str, Spend]:
        """Return the counts of these scopes."""
        return await self._database.read(lambda tx: spending.spent(tx, scopes))

    async def dump(self, groups: Sequence[str]) -> AsyncIterator[PortableRow]:
        """Return all rows of these groups, read in portions."""
        await self._database.read(lambda tx: dumping.check_stopped(tx, self._presence, groups))
        for table, first in dumping.TABLES.items():
            after = first
            while after is not None:
                start = after
                rows, after = await self._database.read(
                    lambda tx, table=table, start=start: dumping.read_table(tx, table, groups, start)
                )
                for row in rows:
                    yield row

    async def restore(self, rows: Sequence[PortableRow]) -> int:
        """Store rows that are not there yet and return how many."""
        check_rows(rows)
        return await self._database.write(lambda tx: restoring.restore(tx, rows))

    async def mentioned(self, texts: Sequence[str]) -> AbstractSet[str]:
        """Return those of the texts that unfinished work refers to."""
        return await self._database.read(lambda tx: upkeep.mentioned(tx, texts))

    async def sweep(self, dedup_seconds: float) -> None:
        """Forget what is older than the horizon, in small portions."""
        horizon = self._options.now() - dedup_seconds
        after: int | None = 0
        while after is not None:
            start = after
            after = await self._database.write(lambda tx, start=start: upkeep.sweep_seen(tx, horizon, start))
        while await self._database.write(lambda tx: upkeep.sweep_rest(tx, horizon)):
            pass
