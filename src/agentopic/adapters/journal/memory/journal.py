"""The memory journal: the journal port over a store object, for tests and simulation."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager

from agentopic.adapters.journal.carried import check_rows
from agentopic.adapters.journal.memory import (
    agents,
    commit,
    control,
    intake,
    marks,
    membership,
    portable,
    requests,
    spending,
    steps,
    upkeep,
)
from agentopic.adapters.journal.memory.store import MemoryStore
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


class MemoryJournal:
    """The journal port in memory; several of these on one store stand for several processes.

    No call ever suspends, so a cancelled one has either not begun or is complete.
    """

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def start(self) -> None:
        """Nothing to connect to."""

    async def aclose(self) -> None:
        """Nothing to disconnect from."""

    async def join(self, groups: Sequence[str], address: str) -> int:
        """Enter a new process and return its id."""
        for group in groups:
            check_text("group", group)
        check_text("address", address)
        with self._store.lock:
            return membership.join(self._store, groups, address)

    @asynccontextmanager
    async def heart(self, me: int) -> AsyncGenerator[Heart]:
        """Open the beat of this process; usable from any thread."""
        yield membership.MemoryHeart(self._store, me)

    async def peers(self, me: int) -> Sequence[Peer]:
        """Return the processes not dead and not this one."""
        with self._store.lock:
            return membership.peers(self._store, me)

    async def bury(self, me: int, peer: Peer) -> Sequence[StoredRow]:
        """Declare a peer dead for ever, unless its beat has risen since it was read."""
        with self._store.lock:
            return membership.bury(self._store, me, peer)

    async def leave(self, me: int) -> None:
        """End this process cleanly."""
        with self._store.lock:
            membership.leave(self._store, me)

    async def lease(
        self, me: int, group: str, partitions: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, int | None]:
        """Hold this process's fair share of the partitions and return it with the watermarks."""
        check_text("group", group)
        for place in partitions:
            check_text("topic", place.topic)
        with self._store.lock:
            return marks.lease(self._store, me, group, partitions)

    async def intake(self, me: int, batch: IntakeBatch) -> Intaken:
        """Store a batch and start free lanes into free slots."""
        check_batch(batch)
        with self._store.lock:
            return intake.intake(self._store, me, batch)

    async def take(self, me: int, free: Mapping[str, int]) -> Sequence[Started]:
        """Take up to `free[group]` ready lanes of each group, longest ready first."""
        with self._store.lock:
            return intake.take(self._store, me, free)

    async def commit(self, me: int, turns: Sequence[Finish], sent: Sequence[StoredRow] = ()) -> Committed:
        """Finish turns and drop acknowledged rows."""
        check_turns(turns)
        with self._store.lock:
            return commit.commit(self._store, me, turns, sent)

    async def refuse(self, me: int, refusals: Sequence[Refusal]) -> Sequence[StoredRow]:
        """Finish stored deliveries that are not running, and return their rows to send, replies first."""
        check_refusals(refusals)
        with self._store.lock:
            return commit.refuse(self._store, me, refusals)

    async def held(self, me: int) -> Holdings:
        """Return what this process holds."""
        with self._store.lock:
            return upkeep.held(self._store, me)

    async def backlog(self, groups: Sequence[str]) -> Mapping[str, Backlog]:
        """Count unfinished work per group."""
        with self._store.lock:
            return upkeep.backlog(self._store, groups)

    async def open_steps(self, me: int, intents: Sequence[StepIntent]) -> Sequence[StepRow | None]:
        """Store intents and return the rows as stored."""
        check_intents(intents)
        with self._store.lock:
            return steps.open_steps(self._store, me, intents)

    async def close_steps(self, me: int, results: Sequence[StepResult]) -> Sequence[StepRow]:
        """Store results where none is stored and return what is stored now."""
        check_results(results)
        with self._store.lock:
            return steps.close_steps(self._store, me, results)

    async def recorded(self, turn: bytes) -> Sequence[StepRow]:
        """Return the steps of a turn, in the order of their intents."""
        with self._store.lock:
            return steps.recorded(self._store, turn)

    async def questions(self, groups: Sequence[str]) -> Sequence[Question]:
        """Return the open questions of these groups' unfinished turns, oldest first."""
        with self._store.lock:
            return steps.questions(self._store, groups)

    async def load(self, lane: bytes) -> AgentState | None:
        """Return the state of the agent whose lane this is."""
        with self._store.lock:
            return agents.load(self._store, lane)

    async def control(self, me: int, batch: ControlBatch) -> Controlled:
        """Apply commands in order, mail to holders included."""
        check_control(batch)
        with self._store.lock:
            return control.control(self._store, me, batch)

    async def mail(self, me: int) -> Sequence[Letter]:
        """Take this process's mail."""
        with self._store.lock:
            return control.mail(self._store, me)

    async def cancelled_runs(self) -> AbstractSet[str]:
        """Return the runs cancelled within the last day."""
        with self._store.lock:
            return control.cancelled_runs(self._store)

    async def open_request(self, me: int, request_id: str, target: str, seconds: float | None) -> RequestRow:
        """Store a request, or return the one found."""
        check_text("request id", request_id)
        check_text("target", target)
        with self._store.lock:
            return requests.open_request(self._store, me, request_id, target, seconds)

    async def close_request(
        self, me: int, request_id: str, outcome: Outcome, value: bytes | None, keep_seconds: float
    ) -> RequestRow:
        """Store how a request ended, where nothing is stored yet, and return the row as it stands."""
        with self._store.lock:
            return requests.close_request(
                self._store, me, request_id, outcome=outcome, value=value, keep_seconds=keep_seconds
            )

    async def spend(self, me: int, entries: Sequence[Spend]) -> None:
        """Add entries to their scopes."""
        check_spending(entries)
        with self._store.lock:
            spending.spend(self._store, me, entries)

    async def spent(self, scopes: Sequence[str]) -> Mapping[str, Spend]:
        """Return the counts of these scopes."""
        with self._store.lock:
            return spending.spent(self._store, scopes)

    async def dump(self, groups: Sequence[str]) -> AsyncIterator[PortableRow]:
        """Return all rows of these groups."""
        with self._store.lock:
            rows = portable.dump(self._store, groups)
        for row in rows:
            yield row

    async def restore(self, rows: Sequence[PortableRow]) -> int:
        """Store rows that are not there yet and return how many."""
        check_rows(rows)
        with self._store.lock:
            return portable.restore(self._store, rows)

    async def mentioned(self, texts: Sequence[str]) -> AbstractSet[str]:
        """Return those of the texts that unfinished work refers to."""
        with self._store.lock:
            return upkeep.mentioned(self._store, texts)

    async def sweep(self, dedup_seconds: float) -> None:
        """Forget what is older than the horizon."""
        with self._store.lock:
            upkeep.sweep(self._store, dedup_seconds)
