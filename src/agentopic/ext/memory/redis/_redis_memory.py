"""`RedisMemory`: remembers across processes and restarts, in a plain Redis."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Self, TypeAlias

from agentopic.core import CancellationToken, Component
from agentopic.core.memory import Memory, MemoryContent, MemoryMimeType, MemoryQueryResult, UpdateContextResult
from agentopic.core.model_context import ChatCompletionContext
from agentopic.core.models import SystemMessage
from agentopic.core.tools import current_idempotency_key
from agentopic.ext.memory.redis._redis_memory_config import RedisMemoryConfig
from agentopic.ext.memory.redis._redis_store import Entry, RedisStore
from agentopic.ext.memory.redis._relevance import by_words, vector_distance

Embed: TypeAlias = Callable[[Sequence[str]], Awaitable[Sequence[Sequence[float]]]]
"""Turns texts into vectors, one each."""

_SEARCHED = 10_000
"""How many of the newest contents a query looks at."""
_KEPT_TYPES = (MemoryMimeType.TEXT.value, MemoryMimeType.JSON.value, MemoryMimeType.MARKDOWN.value)


class RedisMemory(Memory, Component[RedisMemoryConfig]):
    """Keeps text and JSON in Redis and finds what is relevant to the last message; no Redis module is needed.

    With `embed`, contents are ranked by the distance of their vectors and those beyond `distance_threshold` are left
    out; without it by their common words with the question, and those without one are left out. `sequential` finds
    the latest `top_k` instead, in order. A query looks at the newest 10,000 contents. What a durable turn adds is
    added once, however often the turn is attempted; its queries are recorded.

    Raises (from all methods that reach Redis):
        MemoryStoreError: Redis does not answer.
    """

    component_config_schema = RedisMemoryConfig
    component_provider_override = "autogen_ext.memory.redis_memory.RedisMemory"
    repeatable_add = True

    def __init__(self, config: RedisMemoryConfig | None = None, *, embed: Embed | None = None) -> None:
        self.config = config or RedisMemoryConfig()
        self._embed = embed
        self._store = RedisStore(self.config.redis_url, self.config.prefix, self.config.index_name)

    async def update_context(self, model_context: ChatCompletionContext) -> UpdateContextResult:
        """Add one system message with what the last message of the context makes relevant; none when nothing is."""
        messages = await model_context.get_messages()
        last = messages[-1].content if messages else ""
        found = await self.query(last if isinstance(last, str) else str(last))
        if found.results:
            order = " (in chronological order)" if self.config.sequential else ""
            lines = "\n".join(f"{number}. {_text(each)}" for number, each in enumerate(found.results, 1))
            await model_context.add_message(SystemMessage(content=f"\nRelevant memory content{order}:\n{lines}\n"))
        return UpdateContextResult(memories=found)

    async def add(self, content: MemoryContent, cancellation_token: CancellationToken | None = None) -> None:
        """Remember text, Markdown or a JSON object.

        Raises:
            ValueError: the content is of another kind.
        """
        mime_type = content.mime_type.value if isinstance(content.mime_type, MemoryMimeType) else content.mime_type
        if mime_type not in _KEPT_TYPES or not isinstance(content.content, str | dict):
            raise ValueError(f"a Redis memory keeps {', '.join(_KEPT_TYPES)}; not {mime_type}")
        vector = None if self._embed is None else [float(x) for x in (await self._embed([_text(content)]))[0]]
        entry = Entry(content=content.content, mime_type=mime_type, metadata=content.metadata, vector=vector)
        entry_id = current_idempotency_key() or str(uuid.uuid4())
        await self._store.add(entry_id, time.time_ns() // 1000, entry)

    async def query(
        self,
        query: str | MemoryContent,
        cancellation_token: CancellationToken | None = None,
        **kwargs: Any,
    ) -> MemoryQueryResult:
        """The relevant contents, best first; `top_k`, `distance_threshold` and `sequential` override the config."""
        top_k = int(kwargs.get("top_k", self.config.top_k))
        if kwargs.get("sequential", self.config.sequential):
            return MemoryQueryResult(results=[_content(each) for each in await self._store.latest(top_k)])
        entries = await self._store.latest(_SEARCHED)
        threshold = float(kwargs.get("distance_threshold", self.config.distance_threshold))
        question = query if isinstance(query, str) else _text(query)
        ranked = await self._ranked(question, entries, threshold)
        return MemoryQueryResult(results=[_content(each) for each in ranked[:top_k]])

    async def clear(self) -> None:
        """Forget everything, for all processes."""
        await self._store.clear()

    async def close(self) -> None:
        """Close the connections."""
        await self._store.aclose()

    async def _ranked(self, question: str, entries: Sequence[Entry], threshold: float) -> list[Entry]:
        if self._embed is None:
            scores = by_words(question, [_text(_content(each)) for each in entries])
            found = [(-score, -at) for at, score in enumerate(scores) if score > 0]
        else:
            (asked,) = await self._embed([question])
            metric = self.config.distance_metric
            distances = [vector_distance(asked, each.vector or (), metric) for each in entries]
            found = [(distance, -at) for at, distance in enumerate(distances) if distance <= threshold]
        return [entries[-at] for _, at in sorted(found)]

    def _to_config(self) -> RedisMemoryConfig:
        return self.config

    @classmethod
    def _from_config(cls, config: RedisMemoryConfig) -> Self:
        return cls(config)


def _content(entry: Entry) -> MemoryContent:
    return MemoryContent(content=entry.content, mime_type=entry.mime_type, metadata=entry.metadata)


def _text(content: MemoryContent) -> str:
    return content.content if isinstance(content.content, str) else json.dumps(content.content, ensure_ascii=False)
