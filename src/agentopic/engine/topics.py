"""The Kafka topics a process owns, uses and sees."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

from agentopic.engine.options import EngineOptions
from agentopic.errors import MissingTopicError
from agentopic.ports.admin import TopicAdmin, TopicSpec

DEAD_LETTER_BYTES = 16 * 1024 * 1024
"""Dead letters hold what was too large for anyone else, with its facts on top."""


class TopicCatalog:
    """The broker's topics as last seen, refreshed when something is missing."""

    def __init__(self, admin: TopicAdmin, options: EngineOptions) -> None:
        self._admin, self._options = admin, options
        self._seen: Mapping[str, int] = {}
        self._looked = float("-inf")
        self._looking = asyncio.Lock()
        self._begun = self._ended = 0
        """The numbers of the latest look that was begun, and of the latest that has brought something."""

    async def refresh(self) -> Mapping[str, int]:
        """Read the topics anew and return them with their numbers of partitions; many who ask share one look."""
        asked = self._begun  # one under way may have been answered before what is asked for was there
        return await self._look_unless(lambda: self._ended > asked)

    async def recent(self, seconds: float) -> Mapping[str, int]:
        """Return the topics as they were at most so long ago; many who ask share one look."""
        return await self._look_unless(lambda: asyncio.get_running_loop().time() - self._looked < seconds)

    async def _look_unless(self, is_known: Callable[[], bool]) -> Mapping[str, int]:
        async with self._looking:
            if not is_known():
                self._begun += 1
                self._seen = await self._admin.topics()
                self._ended, self._looked = self._begun, asyncio.get_running_loop().time()
            return self._seen

    async def has(self, kafka_topic: str) -> bool:
        """Whether a topic was there when the topics were last read; they are read now if they never were."""
        return kafka_topic in (self._seen or await self.refresh())

    async def has_now(self, kafka_topic: str) -> bool:
        """Whether a topic is there; the topics are read now if it was not among them."""
        return kafka_topic in self._seen or kafka_topic in await self.refresh()

    def count(self, kafka_topic: str) -> int:
        """Return a topic's number of partitions as last seen; 0 when it was not there."""
        return self._seen.get(kafka_topic, 0)

    async def require(self, kafka_topic: str) -> None:
        """Return when the topic exists.

        Raises:
            MissingTopicError: it does not; a publish or send to it would go nowhere.
        """
        if kafka_topic not in self._seen and kafka_topic not in await self.refresh():
            raise MissingTopicError(
                kafka_topic,
                "start the service that owns it, or create it with `agentopic topics apply`",
            )

    async def partitions(self, kafka_topic: str) -> int:
        """Return a topic's number of partitions.

        Raises:
            MissingTopicError: it does not exist.
        """
        await self.require(kafka_topic)
        return self._seen[kafka_topic]

    async def ensure(self, specs: Sequence[TopicSpec]) -> None:
        """Create what is missing, or refuse to start without it when topics are only to be verified.

        Raises:
            MissingTopicError: `topics="verify"` and a topic is missing.
        """
        seen = await self.refresh()
        missing = [spec for spec in specs if spec.name not in seen]
        if missing and self._options.topics == "verify":
            raise MissingTopicError(
                missing[0].name,
                f"{len(missing)} of this service's topics are missing; create them with `agentopic topics apply`,"
                " or start with TOPICS=create",
            )
        if missing:
            await self._admin.create(missing)
            await self.refresh()

    def specs(self, kafka_topics: Iterable[str], *, dead: Iterable[str] = ()) -> Sequence[TopicSpec]:
        """Return how the named topics are to be created."""
        options = self._options
        ordinary = [
            TopicSpec(name=name, partitions=options.partitions, replication=options.topic_replication)
            for name in dict.fromkeys(kafka_topics)
        ]
        letters = [
            TopicSpec(
                name=name,
                partitions=options.partitions,
                replication=options.topic_replication,
                config={"max.message.bytes": str(DEAD_LETTER_BYTES)},
            )
            for name in dict.fromkeys(dead)
        ]
        return [*ordinary, *letters]
