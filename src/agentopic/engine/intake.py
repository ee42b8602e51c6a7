"""Step 3, Intake: a batch of records is stored, watermarks and all, before anything of it runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from agentopic.engine.batches import Marks, Stored, advances, store_halved, stored_marks
from agentopic.engine.deadletters import dead_letter
from agentopic.engine.delivery import Delivery
from agentopic.engine.faults import answer_record, fault_envelope
from agentopic.engine.group import AgentGroup
from agentopic.engine.kept_deliveries import KeptDeliveries
from agentopic.engine.lanes import Lanes
from agentopic.engine.options import EngineOptions
from agentopic.engine.outbox import Outbox
from agentopic.engine.records import read_envelope
from agentopic.engine.run_facts import terminal_rows
from agentopic.engine.writer import Writer
from agentopic.errors import AgentopicError, CallCycleError, ValueRefusedError
from agentopic.ports.clock import Clock
from agentopic.ports.journal import Incoming, IntakeBatch, Intaken, OutboxRow, Refusal
from agentopic.ports.transport import Record, TopicPartition


@dataclass(slots=True)
class _Sorted:
    """A batch told apart: what is to be delivered, and what is no valid event."""

    deliveries: dict[bytes, Delivery] = field(default_factory=dict[bytes, Delivery])
    """By identity: what may have to be answered before it runs."""
    incoming: list[Incoming] = field(default_factory=list[Incoming])
    decoded: list[tuple[Incoming, Delivery]] = field(default_factory=list[tuple[Incoming, Delivery]])
    dead: list[tuple[TopicPartition, OutboxRow]] = field(default_factory=list[tuple[TopicPartition, OutboxRow]])
    is_ahead: bool = False
    """Whether more waits to be begun than can be kept decoded."""


class Intake:
    """Stores what was read for one agent type."""

    def __init__(
        self,
        group: AgentGroup,
        *,
        writer: Writer,
        lanes: Lanes,
        outbox: Outbox,
        kept: KeptDeliveries,
        clock: Clock,
        options: EngineOptions,
        wanted: Callable[[Record], bool],
    ) -> None:
        self._group, self._kept = group, kept
        self._writer, self._lanes, self._outbox, self._clock = writer, lanes, outbox, clock
        self._options = options
        self._wanted = wanted

    async def store(self, records: Sequence[Record], marks: Marks) -> Stored:
        """Store records in one transaction and start what there are free slots for.

        Raises:
            JournalUnavailableError: the outcome is unknown; the watermarks tell.
        """
        return await store_halved(records, marks, self._store, self._bury)

    async def _store(self, records: Sequence[Record], marks: Marks) -> Stored:
        batch = _Sorted()
        for record in records:
            self._sort(record, batch)
        advanced = advances(records, marks)
        intake = IntakeBatch(group=self._group.group, marks=advanced, deliveries=batch.incoming, dead=batch.dead)
        intaken = await self._writer.call(lambda: self._take_in(intake, batch))
        if len(intaken.started) < len(batch.incoming):
            self._lanes.nudge()
        stale = frozenset(intaken.stale)
        count = len(batch.incoming) - intaken.repeats
        return Stored(stored_marks(advanced, stale), stale, count, is_ahead=batch.is_ahead)

    async def _take_in(self, batch: IntakeBatch, read: _Sorted) -> Intaken:
        # Inside the writer: no other call can fill the slots between counting them and starting the lanes, and
        # what was started runs even when whoever asked has been cancelled meanwhile.
        free = self._lanes.free(self._group.group)
        intaken = await self._writer.journal.intake(self._writer.me, replace(batch, free=free))
        self._outbox.add(intaken.rows)
        has_room = self._kept.put(read.decoded)
        read.is_ahead = not has_room and len(intaken.started) < len(batch.deliveries)
        self._lanes.start(intaken.started)
        if intaken.cycles:
            # Here, so that nothing can take the lane before. A crash in between is repaired by the caller's
            # repetition, which the journal finds to close the cycle again.
            refusals = [self._refusal(read.deliveries[each]) for each in sorted(intaken.cycles)]
            self._outbox.add(await self._writer.journal.refuse(self._writer.me, refusals))
        return intaken

    def _sort(self, record: Record, batch: _Sorted) -> None:
        if not self._wanted(record):
            return
        try:
            deliveries = self._deliveries(record)
            incoming = [each.incoming(self._group.group) for each in deliveries]
        except AgentopicError as exc:
            batch.dead.append((TopicPartition(record.topic, record.partition), self._letter(record, exc)))
            return
        batch.incoming.extend(incoming)
        for delivery, stored in zip(deliveries, incoming, strict=True):
            batch.decoded.append((stored, delivery))
            if stored.caller is not None:
                batch.deliveries[stored.identity] = delivery

    def _deliveries(self, record: Record) -> Sequence[Delivery]:
        envelope = read_envelope(record, self._options)
        return self._group.router.deliveries(record, envelope)

    def _refusal(self, delivery: Delivery) -> Refusal:
        """Return the end of a request whose caller is waited for by the very agent it asks."""
        error = CallCycleError(
            f"{delivery.agent} waits, directly or through others, for the agent that asks it: each handles one"
            " message at a time, so neither could ever go on"
        )
        incoming, namespace = delivery.incoming(self._group.group), self._options.namespace
        now = self._clock.now()
        fault = fault_envelope(delivery, error, namespace=namespace, now=now)
        return Refusal(
            lane=incoming.lane,
            identity=incoming.identity,
            outcome="dead",
            answer=answer_record(fault, delivery.request_id or "", "dead", self._options.dedup_seconds),
            outbox=terminal_rows(delivery, "dead", error, namespace=namespace, now=now),
        )

    def _letter(self, record: Record, error: AgentopicError) -> OutboxRow:
        return dead_letter(
            record,
            topic=self._group.router.dead_letters,
            group=self._group.group,
            error=error,
            attempts=0,
            now=self._clock.now(),
        )

    async def _bury(self, record: Record, marks: Marks, error: ValueRefusedError) -> Stored:
        partition = TopicPartition(record.topic, record.partition)
        advanced = advances([record], marks)
        batch = IntakeBatch(
            group=self._group.group,
            marks=advanced,
            deliveries=(),
            dead=[(partition, self._letter(record, error))],
        )
        intaken = await self._writer.call(lambda: self._take_in(batch, _Sorted()))
        stale = frozenset(intaken.stale)
        return Stored(stored_marks(advanced, stale), stale, 0)
