"""One log of any adapter as a contract test wants it: transports and an admin on it, closed at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

from agentopic.ports.admin import TopicAdmin, TopicSpec
from agentopic.ports.transport import OutgoingRecord, Reader, Record, Sent, TopicPartition, Transport

_PATIENCE_SECONDS = 15.0


class LogMesh:
    """Opens as many transports on one log as a test wants; leaving it closes them, the last opened first.

    `ns` begins every topic's and group's name, so that tests may share a broker.
    """

    def __init__(self, ns: str, new_transport: Callable[..., Transport], new_admin: Callable[[], TopicAdmin]) -> None:
        self.ns = ns
        self.group = f"{ns}.group"
        self._new_transport = new_transport
        self._new_admin = new_admin
        self._stack = AsyncExitStack()
        self.admin = self.another_admin()

    def another_admin(self) -> TopicAdmin:
        """Return one more admin of the log."""
        admin = self._new_admin()
        self._stack.push_async_callback(admin.aclose)
        return admin

    async def open(self, **options: Any) -> Transport:
        """Return one more started transport on the log; options go to the adapter."""
        transport = self.unstarted(**options)
        await transport.start()
        return transport

    def unstarted(self, **options: Any) -> Transport:
        """Return one more transport that is not started yet."""
        transport = self._new_transport(**options)
        self._stack.push_async_callback(transport.aclose)
        return transport

    async def topic(self, partitions: int = 4, *, name: str = "t", **config: str) -> str:
        """Create a topic and return its full name; configuration names are written with `_` for `.`."""
        topic = f"{self.ns}.{name}"
        settings = {key.replace("_", "."): value for key, value in config.items()}
        await self.admin.create([TopicSpec(name=topic, partitions=partitions, config=settings)])
        return topic

    async def reader(self, transport: Transport, topic: str, partitions: int = 4) -> Reader:
        """Return a reader of a whole topic from its beginning."""
        reader = await transport.reader(self.group)
        await reader.assign({TopicPartition(topic, number): 0 for number in range(partitions)})
        return reader

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()


async def read_until(reader: Reader, count: int, max_records: int = 100) -> list[Record]:
    """Read until so many records have come.

    Raises:
        AssertionError: for long nothing came, or more came than expected.
    """
    records: list[Record] = []
    while len(records) < count:
        found = await reader.read(max_records, _PATIENCE_SECONDS)
        if not found:
            raise AssertionError(f"only {len(records)} of {count} records came")
        records.extend(found)
    if len(records) > count:
        raise AssertionError(f"{len(records)} records came instead of {count}")
    return records


async def send_all(transport: Transport, records: Sequence[OutgoingRecord]) -> list[Sent]:
    """Send records that must all be taken, and return where they lie.

    Raises:
        AssertionError: one was not taken.
    """
    results = await transport.send(records)
    sent = [result for result in results if isinstance(result, Sent)]
    if len(sent) < len(records):
        raise AssertionError(f"not all records were taken: {results}")
    return sent
