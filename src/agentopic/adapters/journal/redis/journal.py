"""The Redis journal: one link to the server under all parts of the port."""

from __future__ import annotations

import asyncio

from agentopic.adapters.journal.redis.control import RedisControl
from agentopic.adapters.journal.redis.failures import CLIENT_ERRORS, start_error
from agentopic.adapters.journal.redis.lanes import RedisLanes
from agentopic.adapters.journal.redis.portable import RedisPortable
from agentopic.adapters.journal.redis.steps import RedisSteps
from agentopic.adapters.journal.redis.words import micros
from agentopic.adapters.journal.waiting import RUN_SECONDS
from agentopic.errors import ConfigError, UnreachableError

VERSION = 1
"""Of the keys and what they hold."""
_PORTION = 1_000
_RETRY_SECONDS = 0.2


class RedisJournal(RedisLanes, RedisSteps, RedisControl, RedisPortable):
    """The journal port over one Redis 6.2 or later; processes on any number of machines share it.

    The server must be a primary that stores what it acknowledges (`appendonly yes`, `appendfsync always`): this is
    looked at on each new connection. Each call is one script, which the server runs alone and stores as one, so a call
    is complete or leaves no trace. Calls of one instance are served one after the other; a cancelled call runs to its
    end. All of the content is in the server's memory.
    """

    async def start(self) -> None:
        """Connect and look whether the server is fit to hold a journal.

        Raises:
            UnreachableError: the server does not answer within the start-up time.
            ConfigError: it refuses the login, is a replica, may lose what it has acknowledged, or what is stored is
                newer than this program.
        """
        deadline = asyncio.get_running_loop().time() + self._options.start_seconds
        while True:
            try:
                await self._prepare()
            except UnreachableError:
                if asyncio.get_running_loop().time() >= deadline:
                    raise
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return

    async def sweep(self, dedup_seconds: float) -> None:
        """Forget what is older than the horizon, in small portions, and nothing that an unfinished delivery needs.

        Events that a snapshot has made superfluous, and dead processes with their mail, are gone already.
        """
        horizon, looked = None, _PORTION
        while looked >= _PORTION:
            before = (0,) if horizon is None else (1, horizon)
            words = (*before, _PORTION, micros(dedup_seconds), micros(RUN_SECONDS))
            horizon, looked = await self._link.run("sweep", words)

    async def aclose(self) -> None:
        """Disconnect; idempotent. Says nothing about membership: that is `leave`."""
        await self._link.aclose()

    async def _prepare(self) -> None:
        try:
            await self._link.open()
        except CLIENT_ERRORS as error:
            raise start_error(self._options.place, error) from error
        stored = await self._link.run("prepare", (VERSION,))
        if stored > VERSION:
            raise ConfigError(
                f"the journal at {self._options.place} has version {stored}; this program knows {VERSION}"
            )
