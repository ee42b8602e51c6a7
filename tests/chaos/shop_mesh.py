"""A service under fault on Kafka and PostgreSQL, its outside and its history, in one handle."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from agentopic.testing.proof import require
from agentopic.testing.verdict import Verdict

from .fleet import Fleet
from .outside import LateReader, Post, publish_plainly


class Mesh:
    """A fleet and the topics around it."""

    def __init__(self, kafka: str, fleet: Fleet) -> None:
        self.kafka, self.fleet = kafka, fleet
        self.published = 0
        self._noted: set[tuple[str, int, int]] = set()

    async def staff(self, count: int, **environment: str) -> list[Any]:
        """Start workers and wait until they are ready."""
        workers = [self.fleet.start(**environment) for _ in range(count)]
        await self.fleet.ready(len(self.fleet.workers))
        return workers

    async def publish(self, orders: Iterable[Post], **options: Any) -> None:
        """Publish from outside, each order once unless it says otherwise."""
        orders = list(orders)
        await publish_plainly(self.kafka, self.fleet.namespace, self.fleet.history, orders, **options)
        self.published += len(orders)

    async def settle(self, seconds: float = 120.0, wanted: int | None = None) -> bool:
        """Read until everything published has its receipt or dead letter."""
        count = self.published if wanted is None else wanted
        reader = LateReader(self.kafka, self.fleet.namespace, self.fleet.history, self._noted)
        return await reader.read(lambda settled: len(settled) >= count, seconds)

    async def judge(self, name: str, *, ordered: bool = True, seconds: float = 120.0, **figures: Any) -> Verdict:
        """Drain, judge, tell and require."""
        await self.settle(seconds)
        return require(name, self.fleet.history.read(), ordered=ordered, **figures)
