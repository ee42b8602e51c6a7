"""One connection that serves one call at a time, mends itself and outlives cancelled callers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, cast

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, ResponseError

from agentopic.adapters.journal.redis.durability import require_durable
from agentopic.adapters.journal.redis.failures import CLIENT_ERRORS, call_error
from agentopic.adapters.journal.redis.options import RedisOptions
from agentopic.adapters.journal.redis.scripts import Script, script
from agentopic.adapters.journal.redis.words import Word
from agentopic.errors import ConfigError, JournalUnavailableError, ValueRefusedError

_LARGEST = 512 * 1024 * 1024
"""The longest value the server takes."""


class Link:
    """A lazily opened connection; safe to use from the tasks of one event loop.

    A call runs in a task of its own: a cancelled caller leaves it to finish. Nothing is sent twice: the client
    repeats no command, only one that the server certainly did not run.
    """

    def __init__(self, options: RedisOptions) -> None:
        self._options = options
        self._client: Redis | None = None
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        self.session = 0
        """Rises when a connection is given up: the server then refuses what it still may have been sent before."""

    async def run(self, name: str, words: Sequence[Word] = (), *, me: int | None = None) -> Any:
        """Run the script of a call, as process `me` where it needs one, and return its reply.

        Raises:
            ProcessBuriedError: the process is dead.
            ValueRefusedError: a value is refused for good; nothing is stored.
            JournalUnavailableError: the outcome is unknown.
        """
        if any(len(word) > _LARGEST for word in words if isinstance(word, bytes)):
            raise ValueRefusedError(f"a value of {name} has more than {_LARGEST} bytes")

        async def send(client: Redis) -> Any:
            return await self._eval(client, script(name), words, me)

        return await self._shielded(self._exchange(name, send))

    async def command(self, *parts: Word) -> Any:
        """Send one reading command and return its reply; errors as with `run`."""
        return await self._shielded(self._exchange(str(parts[0]), lambda client: _execute(client, *parts)))

    async def open(self) -> None:
        """Connect and look whether the server is fit to hold a journal, without translation of errors."""
        async with self._lock:
            await _execute(self._connected(), "PING")

    async def aclose(self) -> None:
        """Let running calls end and disconnect; bounded by the time of one call; idempotent."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._options.command_seconds)
        async with self._lock:
            await self._drop()

    async def _shielded(self, call: Coroutine[Any, Any, Any]) -> Any:
        task = asyncio.create_task(call)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return await asyncio.shield(task)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # a cancelled caller no longer asks for it

    async def _exchange(self, name: str, send: Callable[[Redis], Awaitable[Any]]) -> Any:
        async with self._lock:
            try:
                return await send(self._connected())
            except ResponseError as error:
                raise call_error(name, error) from error
            except ConfigError as error:
                await self._drop()
                raise JournalUnavailableError(f"the journal's Redis has changed: {error}") from error
            except (asyncio.CancelledError, *CLIENT_ERRORS) as error:
                await self._drop()
                if isinstance(error, asyncio.CancelledError):
                    raise
                raise call_error(name, error) from error

    async def _eval(self, client: Redis, wanted: Script, words: Sequence[Word], me: int | None) -> Any:
        caller = () if me is None else (me, self.session)
        arguments = (1, self._options.prefix, *caller, *words)
        try:
            return await _execute(client, "EVALSHA", wanted.digest, *arguments)
        except NoScriptError:
            await _execute(client, "SCRIPT", "LOAD", wanted.text)
            return await _execute(client, "EVALSHA", wanted.digest, *arguments)

    def _connected(self) -> Redis:
        if self._client is None:
            options = self._options
            # redis-py leaves the options of from_url untyped.
            connect = cast("Callable[..., Redis]", Redis.from_url)  # pyright: ignore[reportUnknownMemberType]
            self._client = connect(
                options.url,
                protocol=2,
                max_connections=1,
                retry=Retry(NoBackoff(), 0),
                socket_connect_timeout=options.connect_seconds,
                socket_timeout=options.command_seconds,
                redis_connect_func=self._greet,
            )
            self._client.response_callbacks.clear()  # replies as the server gives them
        return self._client

    async def _greet(self, connection: AbstractConnection) -> None:
        await connection.on_connect()
        await require_durable(connection, self._options.place)

    async def _drop(self) -> None:
        client, self._client = self._client, None
        self.session += 1
        if client is not None:
            with suppress(*CLIENT_ERRORS):
                await client.aclose()


async def _execute(client: Redis, *parts: Word) -> Any:
    return await cast("Awaitable[Any]", client.execute_command(*parts))  # pyright: ignore[reportUnknownMemberType]
