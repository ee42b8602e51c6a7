"""The entries of one memory in Redis: a hash of contents and the order they came in."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from agentopic.errors import MemoryStoreError


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One content as it is stored."""

    content: Any
    """Text or a JSON object."""
    mime_type: str
    metadata: dict[str, Any] | None
    vector: list[float] | None = None


class RedisStore:
    """Reads and writes entries; the connection is made by the first use."""

    def __init__(self, url: str, prefix: str, index_name: str) -> None:
        self._redis: Any = cast("Any", Redis).from_url(url, decode_responses=True)
        self._entries = f"{prefix}:{{{index_name}}}:entries"
        self._order = f"{prefix}:{{{index_name}}}:order"

    async def add(self, entry_id: str, microseconds: int, entry: Entry) -> None:
        """Keep an entry; one whose id is known is left as it is.

        Raises:
            MemoryStoreError: Redis does not answer or refuses.
        """
        with _told():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.hsetnx(self._entries, entry_id, json.dumps(asdict(entry)))
                pipe.zadd(self._order, {entry_id: microseconds}, nx=True)
                await pipe.execute()

    async def latest(self, count: int) -> Sequence[Entry]:
        """The newest entries, oldest of them first.

        Raises:
            MemoryStoreError: as `add`; or an entry is none.
        """
        with _told():
            ids = await self._redis.zrange(self._order, -count, -1)
            if not ids:
                return []
            texts = await self._redis.hmget(self._entries, ids)
        return [_entry(text) for text in texts if text is not None]

    async def clear(self) -> None:
        """Forget all entries.

        Raises:
            MemoryStoreError: as `add`.
        """
        with _told():
            await self._redis.delete(self._entries, self._order)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._redis.aclose()


@contextmanager
def _told() -> Generator[None]:
    try:
        yield
    except (RedisError, OSError) as exc:
        raise MemoryStoreError(f"the Redis behind a memory failed: {exc}") from exc


def _entry(text: str) -> Entry:
    try:
        return Entry(**json.loads(text))
    except (TypeError, ValueError) as exc:
        raise MemoryStoreError(f"an entry of a memory in Redis is none: {text[:80]!r}") from exc
