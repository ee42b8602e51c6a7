"""What stands outside of a mesh and measures it: sends tasks at a pace, reads reports, both past the engine."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from agentopic import wiring
from agentopic.envelope.kafka_topics import topic_events
from agentopic.ports.transport import Reader, TopicPartition, Transport
from benchmarks._preload import task_record, write
from benchmarks._shape import PARTITIONS

Text = Callable[[int], str]


@dataclass
class Seen:
    """One report: when it was written by the handler and when it was visible here."""

    handled: float
    visible: float
    pid: int


@dataclass
class Probe:
    """Sends and reads; times are of the machine's monotonic clock."""

    namespace: str
    transport: Transport
    reader: Reader
    sent: dict[int, float] = field(default_factory=dict)
    seen: dict[int, Seen] = field(default_factory=dict)
    _numbers: int = 0

    async def send(self, text: str = "x", *, key: str | None = None) -> int:
        """Send one task and return its number once the log has it."""
        number = self._numbers
        self._numbers += 1
        topic = topic_events(self.namespace, "task")
        record = task_record(self.namespace, topic, number, text=text, key=key or f"key-{number}")
        self.sent[number] = time.perf_counter()
        await write(self.transport, [record])
        return number

    async def pace(self, per_second: float, seconds: float, text: Text = lambda _: "x", **options: Any) -> list[int]:
        """Send tasks at an even pace, whatever becomes of them, and return their numbers once all are in the log."""
        began, count = time.perf_counter(), round(per_second * seconds)
        tasks: list[asyncio.Task[int]] = []
        for number in range(count):
            ahead = began + number / per_second - time.perf_counter()
            if ahead > 0:
                await asyncio.sleep(ahead)
            tasks.append(asyncio.create_task(self.send(text(number), **options)))
        return await asyncio.gather(*tasks)

    async def reported(self, numbers: list[int], *, timeout: float = 60.0) -> None:
        """Wait until all of these tasks have been reported."""
        async with asyncio.timeout(timeout):
            while any(number not in self.seen for number in numbers):  # noqa: ASYNC110 - the reader is another task
                await asyncio.sleep(0.02)

    async def read(self) -> None:
        """Note reports until cancelled."""
        while True:
            for record in await self.reader.read(500, 1.0):
                now, told = time.perf_counter(), json.loads(record.value or b"{}")
                self.seen.setdefault(told["number"], Seen(told["at"], now, told["pid"]))


@asynccontextmanager
async def probe(transport_url: str, namespace: str) -> AsyncGenerator[Probe]:
    """Yield a probe of a namespace whose topics exist."""
    wires = wiring.transport_of(transport_url)
    await wires.transport.start()
    reader = await wires.transport.reader(f"{namespace}.probe")
    topic = topic_events(namespace, "report")
    await reader.assign({TopicPartition(topic, number): 0 for number in range(PARTITIONS)})
    made = Probe(namespace, wires.transport, reader)
    reading = asyncio.create_task(made.read())
    try:
        yield made
    finally:
        reading.cancel()
        await asyncio.wait({reading})
        await reader.aclose()
        await wires.admin.aclose()
        await wires.transport.aclose()
