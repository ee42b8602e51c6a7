"""kill -9 under load: nothing accepted is lost, nothing is answered twice, only open calls are paid again."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from agentopic import DurableRuntime
from agentopic.core import TopicId

from .fleet import Fleet, until
from .ledger_agent import Order
from .outside import KEYS, Seen, check, publish_plainly, read_late

ORDERS = 300


@pytest.mark.timeout(180)
async def test_two_kills_under_load_on_kafka_and_postgres(
    kafka: str, postgres_dsn: str, ns: str, tmp_path: Path
) -> None:
    with Fleet(tmp_path, transport=f"kafka://{kafka}", journal=postgres_dsn, namespace=ns) as fleet:
        workers = [fleet.start() for _ in range(3)]
        await until(lambda: fleet.ready() >= 3, f"three workers are ready:\n{fleet.logs()[-2000:]}")
        await publish_plainly(kafka, f"{ns}.topic.orders", ORDERS)
        open_at_kill = Counter[int]()
        for victim in workers[:2]:
            open_at_kill.update(await fleet.kill_in_flight(victim))
            fleet.start()
        receipts = await read_late(kafka, f"{ns}.topic.receipts", ORDERS)

    assert sum(open_at_kill.values()) > 0, "the kills hit nothing: the run proves nothing"
    check(receipts, fleet, open_at_kill)


@pytest.mark.timeout(120)
async def test_a_kill_under_load_on_the_embedded_log(ns: str, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/mesh.db"
    with Fleet(tmp_path, transport=database, journal=database, namespace=ns) as fleet:
        victim, _ = fleet.start(), fleet.start()
        await until(lambda: fleet.ready() >= 2, "two workers are ready")
        async with _client(database, ns) as client:
            for number in range(100):
                await client.publish_message(Order(number=number), TopicId("orders", f"k{number % KEYS}"))
        open_at_kill = Counter(await fleet.kill_in_flight(victim))
        receipts = await _read_embedded(database, ns, 100)

    assert open_at_kill, "the kill hit nothing: the run proves nothing"
    check(receipts, fleet, open_at_kill)


@asynccontextmanager
async def _client(database: str, namespace: str) -> AsyncGenerator[DurableRuntime]:
    client = DurableRuntime(database, database, namespace=namespace)
    await client.start()
    try:
        yield client
    finally:
        await client.stop()


async def _read_embedded(database: str, namespace: str, wanted: int) -> list[dict[str, Any]]:
    """Read what the log holds through the command line, as a pipe would."""
    command = [sys.executable, "-m", "agentopic", "tail", "receipts", "--from-beginning", "--follow"]
    flags = ["--transport", database, "--namespace", namespace, "--output", "jsonl"]
    process = await asyncio.create_subprocess_exec(*command, *flags, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    seen = Seen()
    try:
        async with asyncio.timeout(60):
            while len(seen.events) < wanted:
                seen.add([json.loads(await process.stdout.readline())])
    finally:
        process.terminate()
        await process.wait()
    return seen.events
