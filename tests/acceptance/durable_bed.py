"""A mesh of each kind for acceptance tests: agents through the public API, and the log as outsiders see it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from agentopic import DurableRuntime
from agentopic.ports.transport import OutgoingRecord, Record, Sent, TopicPartition

PATIENCE_SECONDS = 30.0


class DurableBed:
    """Runtimes on one transport and journal, and the log as an outsider sees it."""

    def __init__(self, transport: str, journal: str, ns: str) -> None:
        self.ns = ns
        self._urls = (transport, journal)
        self._stack = AsyncExitStack()
        self._outsider = self.runtime()

    def runtime(self, **options: Any) -> DurableRuntime:
        """Return one more process on the mesh, not started; it is stopped with the bed."""
        chosen: dict[str, Any] = {"partitions": 2, "lease_seconds": 3.0, **options}
        runtime = DurableRuntime(*self._urls, namespace=self.ns, **chosen)
        self._stack.push_async_callback(runtime.stop)
        return runtime

    async def produce(self, topic: str, *records: tuple[bytes | None, bytes | None, dict[str, bytes]]) -> list[Sent]:
        """Append raw records (key, value, headers) to partition 0 of a topic."""
        results = await self._outsider.mesh.transport.send(
            [
                OutgoingRecord(
                    topic=f"{self.ns}.{topic}", key=key, value=value, headers=tuple(headers.items()), partition=0
                )
                for key, value, headers in records
            ]
        )
        assert all(isinstance(each, Sent) for each in results), results
        return [each for each in results if isinstance(each, Sent)]

    async def records(self, topic: str, at_least: int) -> Sequence[Record]:
        """Return a topic's records once there are as many as expected, or what there is after a while."""
        name, found = f"{self.ns}.{topic}", list[Record]()
        count = (await self._outsider.mesh.admin.topics())[name]
        reader = await self._outsider.mesh.transport.reader(f"{name}.outsider")
        await reader.assign({TopicPartition(name, index): 0 for index in range(count)})
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while len(found) < at_least:
                    found.extend(await reader.read(500, 0.2))
        except TimeoutError:
            pytest.fail(f"{name} holds {len(found)} records, not {at_least}")
        finally:
            await reader.aclose()
        return found

    async def open(self) -> None:
        await self._outsider.start()

    async def aclose(self) -> None:
        await self._stack.aclose()


def durable_urls(kind: str, ns: str, folder: Path, fixture: Callable[[str], Any]) -> tuple[str, str]:
    """Return transport and journal of a kind: `memory`, `sqlite`, or `kafka` with PostgreSQL."""
    if kind == "kafka":
        return f"kafka://{fixture('kafka')}", str(fixture("postgres_dsn"))
    if kind == "sqlite":
        return f"sqlite:///{folder}/log.db", f"sqlite:///{folder}/journal.db"
    return f"memory://{ns}", f"memory://{ns}"


@asynccontextmanager
async def durable_bed(urls: tuple[str, str], ns: str) -> AsyncGenerator[DurableBed]:
    """Open a bed and close it with all its runtimes."""
    bed = DurableBed(*urls, ns)
    try:
        await bed.open()
        yield bed
    finally:
        await bed.aclose()
