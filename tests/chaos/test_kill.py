"""kill -9 under load: nothing accepted is lost, nothing is answered twice, only open calls are paid again."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from agentopic import DurableRuntime
from agentopic.core import TopicId

from .fleet import Fleet, until
from .ledger_agent import Order

ORDERS = 300
KEYS = 40


@pytest.mark.timeout(180)
async def test_two_kills_under_load_on_kafka_and_postgres(
    kafka: str, postgres_dsn: str, ns: str, tmp_path: Path, record_property: Any
) -> None:
    with Fleet(tmp_path, transport=f"kafka://{kafka}", journal=postgres_dsn, namespace=ns) as fleet:
        workers = [fleet.start() for _ in range(3)]
        await until(lambda: fleet.ready() >= 3, f"three workers are ready:\n{fleet.logs()[-2000:]}")
        await _publish_plainly(kafka, f"{ns}.topic.orders")
        open_at_kill = Counter[int]()
        for victim in workers[:2]:
            open_at_kill.update(await fleet.kill_in_flight(victim))
            fleet.start()
        receipts = await _read_late(kafka, f"{ns}.topic.receipts", ORDERS)

    assert sum(open_at_kill.values()) > 0, "the kills hit nothing: the run proves nothing"
    _check(receipts, fleet, open_at_kill)
    record_property("open_at_kill", sum(open_at_kill.values()))


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
    _check(receipts, fleet, open_at_kill)


def _check(receipts: list[dict[str, Any]], fleet: Fleet, open_at_kill: Counter[int]) -> None:
    answered = Counter(receipt["data"]["number"] for receipt in receipts)
    assert set(answered) == set(range(len(receipts))), "every order is answered"
    assert max(answered.values()) == 1, "no order is answered twice"
    assert max(Counter((each["source"], each["id"]) for each in receipts).values()) == 1
    paid_again = {number: times - 1 for number, times in fleet.ledger.paid().items() if times > 1}
    assert all(times <= open_at_kill[number] for number, times in paid_again.items()), "only open calls are paid again"
    _check_order(receipts)


def _check_order(receipts: list[dict[str, Any]]) -> None:
    """Per agent: orders in the order they were published, state counted once per turn."""
    by_agent: dict[str, list[dict[str, int]]] = {}
    for receipt in receipts:
        by_agent.setdefault(receipt["source"], []).append(receipt["data"])
    for agent, mine in by_agent.items():
        assert [each["number"] for each in mine] == sorted(each["number"] for each in mine), f"order of {agent}"
        assert [each["turns"] for each in mine] == list(range(1, len(mine) + 1)), f"state of {agent}"


async def _publish_plainly(kafka: str, topic: str) -> None:
    """An outside publisher: a plain producer and the CloudEvents headers, nothing of ours."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all")
    await producer.start()
    try:
        for number in range(ORDERS):
            headers = [
                ("ce_specversion", b"1.0"),
                ("ce_id", f"order-{number}".encode()),
                ("ce_source", b"/shop"),
                ("ce_type", b"chaos.Order.v1"),
                ("content-type", b"application/json"),
            ]
            key = f"customer-{number % KEYS}".encode()
            await producer.send(topic, json.dumps({"number": number}).encode(), key=key, headers=headers)
        await producer.flush()
    finally:
        await producer.stop()


async def _read_late(kafka: str, topic: str, wanted: int) -> list[dict[str, Any]]:
    """A second consumer group that starts late and reads everything from the beginning, then listens for more."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=kafka,
        group_id=f"late-{random.random()}",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    events: list[dict[str, Any]] = []
    try:
        async with asyncio.timeout(90):
            while len(events) < wanted:
                events.extend(await _poll(consumer, 500))
        events.extend(await _poll(consumer, 2000))
    finally:
        await consumer.stop()
    return events


async def _poll(consumer: AIOKafkaConsumer, milliseconds: int) -> list[dict[str, Any]]:
    batches = await consumer.getmany(timeout_ms=milliseconds)
    return [_event(record) for batch in batches.values() for record in batch]


def _event(record: Any) -> dict[str, Any]:
    headers = {name: value.decode() for name, value in record.headers}
    assert headers["ce_specversion"] == "1.0"
    assert headers["content-type"] == "application/json"
    assert headers["ce_type"] == "chaos.Receipt.v1"
    return {"id": headers["ce_id"], "source": headers["ce_source"], "data": json.loads(record.value)}


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
    events: list[dict[str, Any]] = []
    try:
        async with asyncio.timeout(60):
            while len(events) < wanted:
                events.append(json.loads(await process.stdout.readline()))
    finally:
        process.terminate()
        await process.wait()
    return events
