"""The world around the services: a plain producer and a plain consumer, and what they have seen."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from agentopic.testing.history import HistoryFile

KEYS = 40


@dataclass(frozen=True)
class Post:
    """One order to publish: to which topic, for whom, how often and where."""

    number: int
    key: str
    topic: str = "orders"
    does: str = ""
    places: Sequence[int | None] = (None,)
    """A partition per copy; None: where the producer's partitioner puts it."""


def posts(numbers: Iterable[int], keys: int = KEYS) -> list[Post]:
    """Return orders spread over customers."""
    return [Post(number, f"customer-{number % keys}") for number in numbers]


async def publish_plainly(
    kafka: str, namespace: str, history: HistoryFile, orders: Iterable[Post], **producer_options: Any
) -> None:
    """Be an outside publisher: a plain producer and the CloudEvents headers, nothing of ours."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", **producer_options)
    await producer.start()
    try:
        sent = [(post, await _send(producer, namespace, history, post)) for post in orders]
        for post, copies in sent:
            await asyncio.gather(*copies)
            history.note("publish", "ok", f"order-{post.number}", key=post.key)
    finally:
        await producer.stop()


async def _send(producer: AIOKafkaProducer, namespace: str, history: HistoryFile, post: Post) -> list[Any]:
    history.note("publish", "invoke", f"order-{post.number}", key=post.key)
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", f"order-{post.number}".encode()),
        ("ce_source", b"/shop"),
        ("ce_type", b"chaos.Order.v1"),
        ("content-type", b"application/json"),
    ]
    value = json.dumps({"number": post.number, "does": post.does}).encode()
    topic, key = f"{namespace}.topic.{post.topic}", post.key.encode()
    return [await producer.send(topic, value, key=key, headers=headers, partition=each) for each in post.places]


class LateReader:
    """A second consumer group that starts late and reads receipts and dead letters from the beginning."""

    def __init__(
        self, kafka: str, namespace: str, history: HistoryFile, noted: set[tuple[str, int, int]] | None = None
    ) -> None:
        self._topics = (f"{namespace}.topic.receipts", f"{namespace}.dead.cashier")
        self._history = history
        self._noted: set[tuple[str, int, int]] = set() if noted is None else noted
        """Records that an earlier reader has noted."""
        self._consumer = AIOKafkaConsumer(
            *self._topics,
            bootstrap_servers=kafka,
            group_id=f"late-{random.random()}",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        self.settled: set[str] = set()
        """What has its receipt or its dead letter."""

    async def read(self, wanted: Callable[[set[str]], bool], seconds: float) -> bool:
        """Read until enough has come, and for another two seconds what nobody waits for; whether it came in time."""
        await self._consumer.start()
        try:
            async with asyncio.timeout(seconds):
                while not wanted(self.settled):
                    await self._poll(500)
            await self._poll(2000)
        except TimeoutError:
            return False
        finally:
            await self._consumer.stop()
        return True

    async def _poll(self, milliseconds: int) -> None:
        batches = await self._consumer.getmany(timeout_ms=milliseconds)
        for batch in batches.values():
            for record in batch:
                self._note(record)

    def _note(self, record: Any) -> None:
        place = (record.topic, record.partition, record.offset)
        is_new = place not in self._noted
        self._noted.add(place)
        headers = {name: value.decode() for name, value in record.headers}
        if record.topic == self._topics[1]:
            subject = headers.get("ce_id") or f"unnamed-{record.partition}-{record.offset}"
            fact = {"reason": headers.get("agentopic.dead.reason", "")}
        else:
            receipt = json.loads(record.value)
            subject = f"order-{receipt['number']}"
            fact = {
                "id": headers["ce_id"],
                "key": headers["ce_source"],
                "turn": receipt["turns"],
                "paid": receipt["paid"],
            }
        if is_new:
            self._history.note("dead" if record.topic == self._topics[1] else "output", "ok", subject, **fact)
        self.settled.add(subject)
