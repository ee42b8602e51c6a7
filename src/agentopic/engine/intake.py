"""Step 3, Intake: a batch of records is stored, watermarks and all, before anything of it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from agentopic.engine.deadletters import dead_letter
from agentopic.engine.delivery import Delivery
from agentopic.engine.group import AgentGroup
from agentopic.engine.lanes import Lanes
from agentopic.engine.options import EngineOptions
from agentopic.engine.outbox import Outbox
from agentopic.engine.records import read_envelope
from agentopic.engine.writer import Writer
from agentopic.errors import AgentopicError, ValueRefusedError
from agentopic.ports.clock import Clock
from agentopic.ports.journal import Incoming, IntakeBatch, Intaken, MarkAdvance, OutboxRow
from agentopic.ports.transport import Record, TopicPartition


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a batch."""

    marks: Mapping[TopicPartition, int]
    """The watermarks as they stand now, of the partitions that were stored."""
    stale: frozenset[TopicPartition]
    """Partitions of which nothing was stored: their mark is elsewhere, read it again."""
    deliveries: int


class Intake:
    """Stores what was read for one agent type."""

    def __init__(
        self,
        group: AgentGroup,
        *,
        writer: Writer,
        lanes: Lanes,
        outbox: Outbox,
        clock: Clock,
        options: EngineOptions,
        wanted: Callable[[Record], bool],
    ) -> None:
        self._group = group
        self._writer, self._lanes, self._outbox, self._clock = writer, lanes, outbox, clock
        self._options = options
        self._wanted = wanted

    async def store(self, records: Sequence[Record], marks: Mapping[TopicPartition, int]) -> Stored:
        """Store records in one transaction and start what there are free slots for.

        Raises:
            JournalUnavailableError: the outcome is unknown; the watermarks tell.
        """
        incoming: list[Incoming] = []
        dead: list[tuple[TopicPartition, OutboxRow]] = []
        for record in records:
            self._sort(record, incoming, dead)
        advance = _advance(records, marks)
        batch = IntakeBatch(
            group=self._group.group,
            marks=advance,
            deliveries=incoming,
            dead=dead,
        )
        try:
            intaken = await self._writer.call(lambda: self._take_in(batch))
        except ValueRefusedError as exc:
            return await self._halve(records, marks, exc)
        if len(intaken.started) < len(incoming):
            self._lanes.nudge()
        stored = {each.partition: each.next for each in advance if each.partition not in intaken.stale}
        return Stored(stored, frozenset(intaken.stale), len(incoming) - intaken.repeats)

    async def _take_in(self, batch: IntakeBatch) -> Intaken:
        # Inside the writer: no other call can fill the slots between counting them and starting the lanes, and
        # what was started runs even when whoever asked has been cancelled meanwhile.
        free = self._lanes.free(self._group.group)
        intaken = await self._writer.journal.intake(self._writer.me, replace(batch, free=free))
        self._outbox.add(intaken.rows)
        self._lanes.start(intaken.started)
        return intaken

    def _sort(self, record: Record, incoming: list[Incoming], dead: list[tuple[TopicPartition, OutboxRow]]) -> None:
        if not self._wanted(record):
            return
        try:
            incoming.extend(each.incoming(self._group.group) for each in self._deliveries(record))
        except AgentopicError as exc:
            dead.append((TopicPartition(record.topic, record.partition), self._letter(record, exc)))

    def _deliveries(self, record: Record) -> Sequence[Delivery]:
        envelope = read_envelope(record, self._options)
        return self._group.router.deliveries(record, envelope)

    def _letter(self, record: Record, error: AgentopicError) -> OutboxRow:
        return dead_letter(
            record,
            topic=self._group.router.dead_letters,
            group=self._group.group,
            error=error,
            attempts=0,
            now=self._clock.now(),
        )

    async def _halve(
        self, records: Sequence[Record], marks: Mapping[TopicPartition, int], error: ValueRefusedError
    ) -> Stored:
        """Find the record the database refuses by halving; alone, it is dead-lettered and the rest goes on."""
        if len(records) == 1:
            return await self._bury_culprit(records[0], marks, error)
        half = len(records) // 2
        first = await self.store(records[:half], marks)
        # Partitions that moved on are elsewhere; the others' records have been read and must not be passed over.
        rest = [each for each in records[half:] if TopicPartition(each.topic, each.partition) not in first.stale]
        second = await self.store(rest, {**marks, **first.marks})
        return Stored({**first.marks, **second.marks}, first.stale | second.stale, first.deliveries + second.deliveries)

    async def _bury_culprit(
        self, record: Record, marks: Mapping[TopicPartition, int], error: ValueRefusedError
    ) -> Stored:
        partition = TopicPartition(record.topic, record.partition)
        advance = _advance([record], marks)
        batch = IntakeBatch(
            group=self._group.group,
            marks=advance,
            deliveries=(),
            dead=[(partition, self._letter(record, error))],
        )
        intaken = await self._writer.call(lambda: self._take_in(batch))
        stored = {} if partition in intaken.stale else {partition: record.offset + 1}
        return Stored(stored, frozenset(intaken.stale), 0)


def _advance(records: Sequence[Record], marks: Mapping[TopicPartition, int]) -> Sequence[MarkAdvance]:
    following: dict[TopicPartition, int] = {}
    for record in records:
        following[TopicPartition(record.topic, record.partition)] = record.offset + 1
    return [
        MarkAdvance(partition=partition, known=marks[partition], next=position)
        for partition, position in following.items()
    ]
