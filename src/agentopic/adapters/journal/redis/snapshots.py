"""Agent states beside another journal: a cache in Redis that may forget anything."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, cast

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from agentopic.telemetry.loggers import get_logger

log = get_logger(__name__)

KEEP_SECONDS: Final = 3600
"""How long an entry is kept after it was written."""
ALONE_SECONDS: Final = 5.0
"""How long the server is left alone after it has failed."""
_TIMEOUT_SECONDS: Final = 1.0


class RedisSnapshots:
    """Keeps entries under `agentopic:<namespace>:state:<lane>`; a server that does not answer costs time only."""

    def __init__(self, url: str, *, namespace: str, keep_seconds: int = KEEP_SECONDS) -> None:
        # redis-py leaves the options of from_url untyped.
        connect = cast("Callable[..., Redis]", Redis.from_url)  # pyright: ignore[reportUnknownMemberType]
        self._redis = connect(
            url,
            socket_timeout=_TIMEOUT_SECONDS,
            socket_connect_timeout=_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._namespace = namespace
        self._keep_seconds = keep_seconds
        self._alone_until = 0.0

    async def get(self, lane: bytes) -> bytes | None:
        """Return what was put last; None when it is forgotten or the server does not answer."""
        return cast("bytes | None", await self._asked(self._redis.get(self._key(lane))))

    async def put(self, lanes: Mapping[bytes, bytes | None]) -> None:
        """Keep values, or (None) forget them, in one round trip."""
        pipeline = self._redis.pipeline(transaction=False)
        for lane, value in lanes.items():
            if value is None:
                pipeline.delete(self._key(lane))
            else:
                pipeline.set(self._key(lane), value, ex=self._keep_seconds)
        await self._asked(pipeline.execute())

    async def aclose(self) -> None:
        """Close the connections; idempotent."""
        await self._redis.aclose()

    def _key(self, lane: bytes) -> str:
        return f"agentopic:{self._namespace}:state:{lane.hex()}"

    async def _asked(self, call: Awaitable[Any]) -> Any:
        loop = asyncio.get_running_loop()
        if loop.time() < self._alone_until:
            cast("Any", call).close()
            return None
        try:
            return await call
        except (RedisError, OSError, TimeoutError) as exc:
            self._alone_until = loop.time() + ALONE_SECONDS
            log.warning("states are read from the journal alone, their cache does not answer", error=str(exc))
            return None
