"""Listener: the one partition of the replies topic that this process hears, for all that is addressed to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context

from agentopic.engine.mesh import Mesh
from agentopic.engine.mesh_names import place_of
from agentopic.engine.options import EngineOptions
from agentopic.engine.topics import TopicCatalog
from agentopic.envelope import Envelope, new_id
from agentopic.envelope.kafka import decode_record
from agentopic.envelope.kafka_topics import replies
from agentopic.errors import (
    AgentopicError,
    EnvelopeError,
    MissingTopicError,
    OffsetOutOfRangeError,
    TransportError,
    UnreachableError,
)
from agentopic.ports.journal import ReplyAddress
from agentopic.ports.transport import Reader, Record, TopicPartition
from agentopic.telemetry.loggers import get_logger

log = get_logger(__name__)

READ_RECORDS = 500
READ_SECONDS = 1.0
RETRY_SECONDS = 1.0

Hear = Callable[[Envelope], None]


class Listener:
    """Reads what comes in from the moment `open` returned, at most once, and hands it on by message kind.

    Several processes may share a partition: whoever hears tells its own by an id in the event.
    """

    def __init__(self, mesh: Mesh, catalog: TopicCatalog, options: EngineOptions) -> None:
        self._mesh, self._catalog, self._options = mesh, catalog, options
        self.id = new_id()
        """The id of this process: fresh with each opening."""
        self._hears: dict[str, Hear] = {}
        self._place: TopicPartition | None = None
        self._opening = asyncio.Lock()
        self._reading: asyncio.Task[None] | None = None

    def on(self, kind: str, hear: Hear) -> None:
        """Have events of a message kind (`agmsgkind`) given to `hear`; what it cannot use it may refuse by an error."""
        self._hears[kind] = hear

    @property
    def address(self) -> str:
        """Where this process hears: `<topic>/<partition>#<id>`; empty before `open`."""
        return "" if self._place is None else f"{self._place.topic}/{self._place.partition}#{self.id}"

    async def open(self) -> ReplyAddress:
        """Stand at the end of this process's partition and return it; idempotent.

        Raises:
            MissingTopicError: topics are only to be verified and there is no replies topic.
            TransportError: the broker does not answer.
        """
        async with self._opening:
            if self._place is None:
                self.id = new_id()
                self._place = await self._begin()
            return ReplyAddress(*self._place)

    async def place_of(self, process: str) -> ReplyAddress:
        """Return where the process of this id hears.

        Raises:
            MissingTopicError: there is no replies topic.
            TransportError: the broker does not answer.
        """
        count = await self._catalog.partitions(replies(self._options.namespace))
        return place_of(self._options.namespace, process, count)

    async def _begin(self) -> TopicPartition:
        topic = replies(self._options.namespace)
        await self._catalog.ensure(self._catalog.specs([topic]))
        place = TopicPartition(*await self.place_of(self.id))
        ends = await self._mesh.admin.offsets([place])
        reader = await self._mesh.transport.reader(f"{topic}.{self.id}")
        await reader.assign({place: ends[place].end})
        # A context of its own: the first to open may be a turn, of which nothing may reach this task.
        self._reading = asyncio.get_running_loop().create_task(self._read(reader, place), context=Context())
        return place

    async def _read(self, reader: Reader, place: TopicPartition) -> None:
        try:
            while True:
                try:
                    await self._hear_some(reader, place)
                except (TransportError, UnreachableError, MissingTopicError) as exc:
                    log.warning("hearing replies failed, trying again", error=str(exc))
                    await asyncio.sleep(RETRY_SECONDS)
        finally:
            await reader.aclose()

    async def _hear_some(self, reader: Reader, place: TopicPartition) -> None:
        try:
            records = await reader.read(READ_RECORDS, READ_SECONDS)
        except OffsetOutOfRangeError as exc:
            await self._go_on(reader, place, exc)
            return
        for record in records:
            self._hear(record)

    async def _go_on(self, reader: Reader, place: TopicPartition, error: OffsetOutOfRangeError) -> None:
        log.error("records addressed to this process were deleted before they were read", error=str(error))
        held = await self._mesh.admin.offsets([place])
        if place not in held:
            raise MissingTopicError(place.topic, "the services of the namespace create it")
        await reader.assign({})
        await reader.assign({place: held[place].beginning})

    def _hear(self, record: Record) -> None:
        try:
            envelope = decode_record(record.headers, record.value, max_bytes=1 << 30)
        except EnvelopeError as exc:
            log.warning("no valid event among the replies", offset=record.offset, error=str(exc))
            return
        hear = self._hears.get(envelope.agmsgkind or "")
        if hear is None:
            return
        try:
            hear(envelope)
        except AgentopicError as exc:  # anyone can write here: what nobody can answer must not end the hearing
            log.warning("an event among the replies makes no sense", id=envelope.id, error=str(exc))

    async def aclose(self) -> None:
        """Stop hearing; idempotent."""
        reading, self._reading, self._place = self._reading, None, None
        if reading is not None:
            reading.cancel()
            await asyncio.wait({reading})
