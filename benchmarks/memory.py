"""Memory of a service on Kafka and PostgreSQL: idle, after many agents were touched, and under a long backlog."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from typing import Any

from agentopic import wiring
from agentopic.envelope.kafka_topics import topic_events
from agentopic.ports.admin import OffsetRange
from agentopic.ports.transport import TopicPartition
from agentopic.testing import KafkaServer, PostgresServer, fresh_database
from benchmarks._child import Child, service
from benchmarks._preload import fill
from benchmarks._scale import scaled
from benchmarks._shape import PARTITIONS

_REST_SECONDS = 3.0
_LEASE = 10.0
_PATIENCE_SECONDS = 900.0


def run() -> dict[str, object]:
    """Return MiB in RAM per case, and what the project wants of each."""
    with KafkaServer() as kafka, PostgresServer() as postgres:
        return asyncio.run(_run(f"kafka://{kafka.bootstrap}", postgres.dsn))


async def _run(transport: str, server: str) -> dict[str, object]:
    async with fresh_database(server, "memory") as dsn:
        return {
            "idle": {"mib": await _idle("worker", transport, dsn), "wanted_below_mib": 100},
            "idle with a model client": {"mib": await _idle("thinker", transport, dsn), "wanted_below_mib": 130},
            "agents touched": {**await _touched(transport, dsn), "wanted_below_mib": 150},
            "under a backlog": {**await _backlog(transport, dsn), "wanted_spread": 0.1},
        }


async def _idle(kind: str, transport: str, journal: str) -> float:
    with service(kind, transport, journal, f"idle-{kind}", _LEASE) as child:
        await asyncio.sleep(_REST_SECONDS)
        return round(child.resident_mib, 1)


async def _touched(transport: str, journal: str) -> dict[str, Any]:
    """Give each of many agents that keep state one task."""
    agents = scaled(10_000)
    await fill(transport, "touched", agents, keys=agents)
    with service("keeper", transport, journal, "touched", _LEASE) as child:
        await _reports(transport, "touched", agents, [])
        await asyncio.sleep(_REST_SECONDS)
        return {"agents": agents, "mib": round(child.resident_mib, 1)}


async def _backlog(transport: str, journal: str) -> dict[str, Any]:
    """Start behind a full topic and look at the memory while the service catches up, from a tenth of the way on."""
    tasks = scaled(30_000)
    await fill(transport, "backlog", tasks)
    with service("worker", transport, journal, "backlog", _LEASE) as child:
        await _reports(transport, "backlog", tasks // 10, [])
        seen: list[float] = []
        await _reports(transport, "backlog", tasks, seen, child)
    middle = sum(seen) / len(seen)
    return {
        "tasks": tasks,
        "mib": round(middle, 1),
        "highest_mib": round(max(seen), 1),
        "spread": round((max(seen) - min(seen)) / 2 / middle, 3),
    }


async def _reports(
    transport_url: str, namespace: str, wanted: int, memory: list[float], child: Child | None = None
) -> None:
    """Wait for so many reports, noting the memory of a process on the way."""
    wires = wiring.transport_of(transport_url)
    parts = [TopicPartition(topic_events(namespace, "report"), number) for number in range(PARTITIONS)]
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while _count(await wires.admin.offsets(parts)) < wanted:
                if child is not None:
                    memory.append(child.resident_mib)
                await asyncio.sleep(0.2)
    finally:
        await wires.admin.aclose()


def _count(ranges: Mapping[TopicPartition, OffsetRange]) -> int:
    return sum(each.end - each.beginning for each in ranges.values())


if __name__ == "__main__":
    json.dump(run(), sys.stdout, indent=2)
