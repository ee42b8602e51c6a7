"""Latencies: publish to output visible, request to reply, state commits, and the wait after a kill."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agentopic import AgentId, DurableRuntime
from agentopic.testing import KafkaServer, PostgresServer, fresh_database
from benchmarks._child import Child, service
from benchmarks._probe import Probe, probe
from benchmarks._rounds import percentiles
from benchmarks._scale import scaled
from benchmarks._service_process import Question

_LEASE = 5.0
_WARM_SECONDS = 2.0


def run() -> dict[str, object]:
    """Return percentiles in ms per case, and what the project wants of each."""
    with KafkaServer() as kafka, PostgresServer() as postgres:
        return asyncio.run(_run(f"kafka://{kafka.bootstrap}", postgres.dsn))


async def _run(kafka: str, server: str) -> dict[str, object]:
    async with fresh_database(server, "latency") as dsn:
        visible = await _visible(kafka, dsn)
        requests = await _requests(kafka, dsn)
        state = await _state(kafka, dsn)
        killed = await _killed(kafka, dsn)
    return {
        "publish to output visible, kafka, 100/s": visible,
        "request to reply, kafka": {**requests, "wanted_p95_ms": 30},
        "publish to handled, sqlite, 100/s": {**await _embedded(), "wanted_p95_ms": 10},
        "handled to output visible with state, kafka, 1,000/s": {**state, "wanted_p95_ms": 50},
        "kill -9 to the keys' next turns elsewhere": killed,
    }


async def _visible(transport: str, journal: str) -> dict[str, Any]:
    """Measure the quick turns alone, and beside one slow turn in ten."""
    with service("worker", transport, journal, "visible", 10.0):
        async with probe(transport, "visible") as meter:
            await meter.pace(100, _WARM_SECONDS)
            alone = await meter.pace(100, scaled(8))
            await meter.reported(alone)
            mixed = await meter.pace(100, scaled(8), lambda number: "slow" if number % 10 == 0 else "x")
            await meter.reported(mixed)
    quick = [number for index, number in enumerate(mixed) if index % 10]
    quiet, beside = _visible_after(meter, alone), _visible_after(meter, quick)
    return {
        "alone": {**quiet, "wanted_p95_ms": 25},
        "beside 10 % turns of 2 s": beside,
        "p95_ratio": round(beside["p95_ms"] / quiet["p95_ms"], 2),
        "wanted_p95_ratio": 1.2,
    }


def _visible_after(meter: Probe, numbers: Sequence[int]) -> dict[str, Any]:
    return percentiles([meter.seen[number].visible - meter.sent[number] for number in numbers])


async def _requests(transport: str, journal: str) -> dict[str, Any]:
    with service("worker", transport, journal, "requests", 10.0):
        async with DurableRuntime(transport, journal, namespace="requests") as client:
            took = [await _ask(client, number) for number in range(scaled(300))]
    return percentiles(took[20:])


async def _ask(client: DurableRuntime, number: int) -> float:
    began = time.perf_counter()
    await client.send_message(Question("what?"), AgentId("worker", f"key-{number}"))
    return time.perf_counter() - began


async def _embedded() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'mesh.db'}"
        with service("worker", url, url, "embedded", 10.0):
            async with probe(url, "embedded") as meter:
                await meter.pace(100, _WARM_SECONDS)
                numbers = await meter.pace(100, scaled(6))
                await meter.reported(numbers)
    return percentiles([meter.seen[number].handled - meter.sent[number] for number in numbers])


async def _state(transport: str, journal: str) -> dict[str, Any]:
    """Measure from the end of the handler until its output is in the log: the commit with the state, and more."""
    with service("keeper", transport, journal, "state", 10.0):
        async with probe(transport, "state") as meter:
            await meter.pace(500, _WARM_SECONDS, key="warm")
            began = time.perf_counter()
            numbers = await _keyed(meter, 1000, scaled(5))
            reached = len(numbers) / (time.perf_counter() - began)
            await meter.reported(numbers)
    waits = [meter.seen[number].visible - meter.seen[number].handled for number in numbers]
    return {**percentiles(waits), "sent_per_second": round(reached)}


async def _keyed(meter: Probe, per_second: float, seconds: float) -> list[int]:
    """Send at a pace in steps of 10 ms, each step to ten keys of a hundred."""
    began, numbers = time.perf_counter(), []
    step = max(1, round(per_second / 100))
    for index in range(round(seconds * 100)):
        ahead = began + index / 100 - time.perf_counter()
        if ahead > 0:
            await asyncio.sleep(ahead)
        keys = [f"key-{(index * step + each) % 100}" for each in range(step)]
        numbers += [asyncio.create_task(meter.send(key=key)) for key in keys]
    return await asyncio.gather(*numbers)


async def _killed(transport: str, journal: str) -> dict[str, Any]:
    """Kill one of two processes under load; the slowest task sent shortly before or after tells the fail-over."""
    with service("worker", transport, journal, "killed", _LEASE) as first:
        async with probe(transport, "killed") as meter:
            with service("worker", transport, journal, "killed", _LEASE) as second:
                waits = await _fail_over(meter, [first, second])
    return {
        "lease_seconds": _LEASE,
        "slowest_seconds": round(max(waits), 2),
        "wanted_seconds": _LEASE + 2,
        "measured": len(waits),
    }


async def _fail_over(meter: Probe, processes: Sequence[Child]) -> list[float]:
    numbers = await meter.pace(50, 3 + _LEASE / 2)  # both processes have their share of the partitions by then
    await meter.reported(numbers)
    handled = Counter(meter.seen[number].pid for number in numbers[-100:])
    victim = max(processes, key=lambda each: handled[each.pid])
    killing = asyncio.create_task(meter.pace(50, 3))
    await asyncio.sleep(1.0)
    killed = time.perf_counter()
    victim.kill()
    numbers = await killing
    await meter.reported(numbers)
    late = [number for number in numbers if meter.seen[number].handled > killed]
    return [meter.seen[number].visible - max(killed, meter.sent[number]) for number in late]


if __name__ == "__main__":
    json.dump(run(), sys.stdout, indent=2)
