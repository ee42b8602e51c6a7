"""The world around the services: a plain producer, a plain consumer, and what must hold for what they see."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from .fleet import Fleet

KEYS = 40


def check(receipts: list[dict[str, Any]], fleet: Fleet, open_at_kill: Counter[int]) -> None:
    answered = Counter(receipt["data"]["number"] for receipt in receipts)
    assert set(answered) == set(range(len(receipts))), "every order is answered"
    assert max(answered.values()) == 1, "no order is answered twice"
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


async def publish_plainly(kafka: str, topic: str, count: int) -> None:
    """An outside publisher: a plain producer and the CloudEvents headers, nothing of ours."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all")
    await producer.start()
    try:
        for number in range(count):
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


async def read_late(kafka: str, topic: str, wanted: int) -> list[dict[str, Any]]:
    """A second consumer group that starts late and reads everything from the beginning, then listens for more."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=kafka,
        group_id=f"late-{random.random()}",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    seen = Seen()
    try:
        async with asyncio.timeout(90):
            while len(seen.events) < wanted:
                seen.add(await _poll(consumer, 500))
        seen.add(await _poll(consumer, 2000))
    finally:
        await consumer.stop()
    return seen.events


class Seen:
    """Events by source and id; one that was sent just before its sender died may come again, to the letter."""

    def __init__(self) -> None:
        self._by_id: dict[tuple[str, str], dict[str, Any]] = {}

    def add(self, events: list[dict[str, Any]]) -> None:
        for event in events:
            first = self._by_id.setdefault((event["source"], event["id"]), event)
            assert event["data"] == first["data"], "a repeated event is the same event"

    @property
    def events(self) -> list[dict[str, Any]]:
        return list(self._by_id.values())


async def _poll(consumer: AIOKafkaConsumer, milliseconds: int) -> list[dict[str, Any]]:
    batches = await consumer.getmany(timeout_ms=milliseconds)
    return [_event(record) for batch in batches.values() for record in batch]


def _event(record: Any) -> dict[str, Any]:
    headers = {name: value.decode() for name, value in record.headers}
    assert headers["ce_specversion"] == "1.0"
    assert headers["content-type"] == "application/json"
    assert headers["ce_type"] == "chaos.Receipt.v1"
    return {"id": headers["ce_id"], "source": headers["ce_source"], "data": json.loads(record.value)}
