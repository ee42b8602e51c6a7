"""A downstream consumer that takes its time over every receipt and dies with a part of them read but not committed."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from typing import Any

from aiokafka import AIOKafkaConsumer

AT_ONCE = 10


class SlowReader:
    """Reads an output topic in a group of its own, at least once, and drops repeated ids as receivers must."""

    def __init__(self, kafka: str, topic: str, *, seconds_each: float) -> None:
        self._kafka, self._topic, self._seconds_each = kafka, topic, seconds_each
        self._ids: set[str] = set()
        self.orders: defaultdict[str, list[int]] = defaultdict(list)
        """What it has seen of each agent, in order."""
        self.repeated = 0

    @property
    def seen(self) -> int:
        """How many different receipts it has read."""
        return len(self._ids)

    async def read(self, wanted: int) -> None:
        """Live until it has seen so many; the last that it reads is not committed."""
        consumer = AIOKafkaConsumer(
            self._topic,
            bootstrap_servers=self._kafka,
            group_id=f"{self._topic}.downstream",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            session_timeout_ms=6000,
        )
        await consumer.start()
        try:
            while self.seen < wanted:
                batches = await consumer.getmany(timeout_ms=500, max_records=AT_ONCE)
                for record in [record for batch in batches.values() for record in batch]:
                    await asyncio.sleep(self._seconds_each)  # that is what makes it slow
                    self._take(record)
                if self.seen < wanted:
                    await consumer.commit()
        finally:
            await consumer.stop()

    def _take(self, record: Any) -> None:
        headers = {name: value.decode() for name, value in record.headers}
        if headers["ce_id"] in self._ids:
            self.repeated += 1
            return
        self._ids.add(headers["ce_id"])
        self.orders[headers["ce_source"]].append(json.loads(record.value)["number"])
