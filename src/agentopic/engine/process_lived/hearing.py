"""Hearing: reads the topics that process-lived agents listen to, from their ends on, at most once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass

from agentopic.core import Subscription, TypePrefixSubscription, TypeSubscription
from agentopic.engine.mesh import Mesh
from agentopic.engine.process_lived.members import Members
from agentopic.engine.topics import TopicCatalog
from agentopic.envelope.kafka_topics import topic_events, topic_events_pattern
from agentopic.errors import ConfigError, MissingTopicError, OffsetOutOfRangeError, TransportError
from agentopic.ports.admin import OffsetRange
from agentopic.ports.transport import Reader, Record, TopicPartition
from agentopic.telemetry.loggers import get_logger

log = get_logger(__name__)

READ_RECORDS = 500
READ_SECONDS = 0.2
PAUSE_SECONDS = 0.05
LOOK_SECONDS = 1.0
RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """The Kafka topics that subscriptions name."""

    named: frozenset[str] = frozenset()
    patterns: tuple[re.Pattern[str], ...] = ()

    @classmethod
    def of(cls, namespace: str, subscriptions: Iterable[Subscription], members: Members) -> Wanted:
        """Return what the process-lived agents among the subscribers want to hear."""
        named, patterns = set[str](), list[re.Pattern[str]]()
        for each in subscriptions:
            if isinstance(each, TypeSubscription) and each.agent_type in members:
                named |= _named(namespace, each.topic_type)
            elif isinstance(each, TypePrefixSubscription) and each.agent_type in members:
                patterns.append(re.compile(topic_events_pattern(namespace, each.topic_type_prefix)))
        return cls(frozenset(named), tuple(patterns))

    def among(self, topics: Mapping[str, int]) -> Sequence[TopicPartition]:
        """Return the partitions of those of the given topics that are wanted."""
        return [
            TopicPartition(topic, index) for topic, count in topics.items() if self(topic) for index in range(count)
        ]

    def __call__(self, topic: str) -> bool:
        """Whether a Kafka topic is wanted."""
        return topic in self.named or any(pattern.fullmatch(topic) for pattern in self.patterns)


def _named(namespace: str, topic_type: str) -> set[str]:
    try:
        return {topic_events(namespace, topic_type)}
    except ConfigError:
        # An instance subscribes to a topic named like its key, whatever that is: to such a topic nobody can publish.
        return set()


class Hearing:
    """Reads all partitions of the wanted topics and gives each record to `hear` once."""

    def __init__(
        self,
        mesh: Mesh,
        catalog: TopicCatalog,
        *,
        group: Callable[[], str],
        hear: Callable[[Record], None],
        is_full: Callable[[], bool],
    ) -> None:
        """Read under the group name that `group` returns; while `is_full`, nothing is read."""
        self._mesh, self._catalog = mesh, catalog
        self._group, self._hear, self._is_full = group, hear, is_full
        self._wanted = Wanted()
        self._positions: dict[TopicPartition, int] = {}
        self._changed = self._anew = False
        self._looked = float("-inf")
        self._looking = asyncio.Lock()
        self._reading: asyncio.Task[None] | None = None

    def listens_to(self, topic: str) -> bool:
        """Whether what is published to a Kafka topic would be heard."""
        return self._wanted(topic)

    async def listen(self, wanted: Wanted) -> None:
        """Hear exactly this from now on: what is newly wanted from its present end on.

        Raises:
            TransportError: the broker does not answer.
        """
        async with self._looking:
            topics = await self._catalog.refresh()
            await self._take_up(self._wanted.among(topics), from_end=False)
            self._wanted = wanted
            await self._take_up(wanted.among(topics), from_end=True)
        if self._reading is None and (wanted.named or wanted.patterns):
            # A context of its own: nothing of a turn that registers an agent may reach this task.
            self._reading = asyncio.get_running_loop().create_task(self._read(), context=Context())

    async def _take_up(self, partitions: Sequence[TopicPartition], *, from_end: bool) -> None:
        new = [each for each in partitions if each not in self._positions]
        held: Mapping[TopicPartition, OffsetRange] = await self._mesh.admin.offsets(new) if new else {}
        kept = {each: self._positions[each] for each in partitions if each in self._positions}
        begun = {each: reach.end if from_end else reach.beginning for each, reach in held.items()}
        if begun or kept.keys() != self._positions.keys():
            self._positions = {**kept, **begun}
            self._changed = True

    # ── reading ────────────────────────────────────────────────────────────────────────────────────────────

    async def _read(self) -> None:
        reader = await self._open()
        try:
            while True:
                try:
                    await self._round(reader)
                except OffsetOutOfRangeError as exc:
                    self._give_up_place(exc)
                except (TransportError, MissingTopicError) as exc:
                    log.warning("hearing topics failed, trying again", error=str(exc))
                    self._changed = True
                    await asyncio.sleep(RETRY_SECONDS)
        finally:
            await reader.aclose()

    async def _open(self) -> Reader:
        while True:
            try:
                return await self._mesh.transport.reader(self._group())
            except TransportError as exc:
                log.warning("hearing topics cannot begin, trying again", error=str(exc))
                await asyncio.sleep(RETRY_SECONDS)

    async def _round(self, reader: Reader) -> None:
        await self._look()
        if self._anew:
            await reader.assign({})  # a reader keeps its place in what stays assigned
            self._anew, self._changed = False, True
        if self._changed:
            self._changed = False
            await reader.assign(dict(self._positions))
        if not self._positions or self._is_full():
            await asyncio.sleep(PAUSE_SECONDS)
            return
        for record in await reader.read(READ_RECORDS, READ_SECONDS):
            partition = TopicPartition(record.topic, record.partition)
            if self._positions.get(partition, record.offset + 1) <= record.offset:
                self._positions[partition] = record.offset + 1
                self._hear(record)

    async def _look(self) -> None:
        """Find topics and partitions that are new: all of what is in them came after the registration."""
        now = asyncio.get_running_loop().time()
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        async with self._looking:
            topics = await self._catalog.recent(LOOK_SECONDS / 2)
            await self._take_up(self._wanted.among(topics), from_end=False)

    def _give_up_place(self, error: OffsetOutOfRangeError) -> None:
        log.error("records were deleted before they were heard", kafka_topic=error.topic, offset=error.offset)
        self._positions.pop(TopicPartition(error.topic, error.partition), None)
        self._anew, self._looked = True, float("-inf")

    # ── how far it is ──────────────────────────────────────────────────────────────────────────────────────

    async def reaches(self) -> Mapping[TopicPartition, OffsetRange]:
        """Return what the partitions it reads hold."""
        return await self._mesh.admin.offsets(self._positions) if self._positions else {}

    def unread(self, held: Mapping[TopicPartition, OffsetRange]) -> int:
        """Return how many records before the given ends have not been heard."""
        return sum(max(0, reach.end - self._positions.get(each, reach.end)) for each, reach in held.items())

    async def aclose(self) -> None:
        """Stop hearing; what it begins with after that are the ends of then. Idempotent."""
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.cancel()
            await asyncio.wait({reading})
        self._wanted, self._positions, self._changed = Wanted(), {}, False
