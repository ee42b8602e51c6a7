"""The outside of an embedded mesh: a publisher through the runtime, a reader through the command line."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from agentopic import DurableRuntime
from agentopic.core import TopicId

from .fleet import Fleet
from .ledger_agent import Order


@asynccontextmanager
async def client(database: str, namespace: str) -> AsyncGenerator[DurableRuntime]:
    """A runtime that hosts nothing."""
    runtime = DurableRuntime(database, database, namespace=namespace)
    await runtime.start()
    try:
        yield runtime
    finally:
        await runtime.stop()


async def publish_embedded(publisher: DurableRuntime, fleet: Fleet, numbers: range, keys: int) -> None:
    """Publish an order per number, spread over customers."""
    for number in numbers:
        fleet.history.note("publish", "invoke", f"order-{number}")
        await publisher.publish_message(Order(number=number), TopicId("orders", f"k{number % keys}"))
        fleet.history.note("publish", "ok", f"order-{number}")


async def read_embedded(database: str, namespace: str, fleet: Fleet, wanted: int) -> None:
    """Read what the log holds through the command line, as a pipe would."""
    command = [sys.executable, "-m", "agentopic", "tail", "receipts", "--from-beginning", "--follow"]
    flags = ["--transport", database, "--namespace", namespace, "--output", "jsonl"]
    process = await asyncio.create_subprocess_exec(*command, *flags, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    seen: set[int] = set()
    try:
        async with asyncio.timeout(120):
            while len(seen) < wanted:
                seen.add(_note(fleet, await process.stdout.readline()))
    finally:
        process.terminate()
        await process.wait()


def _note(fleet: Fleet, line: bytes) -> int:
    event = json.loads(line)
    receipt = event["data"]
    seen = {"id": event["id"], "key": event["source"], "turn": receipt["turns"], "paid": receipt["paid"]}
    fleet.history.note("output", "ok", f"order-{receipt['number']}", **seen)
    return receipt["number"]
