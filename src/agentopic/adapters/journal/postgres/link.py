"""One connection that serves one call at a time, mends itself and outlives cancelled callers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache

import asyncpg

from agentopic.adapters.journal.postgres.failures import (
    DRIVER_ERRORS,
    call_error,
    is_repeatable,
    is_value_refused,
    sqlstate,
)
from agentopic.adapters.journal.postgres.options import PostgresOptions
from agentopic.errors import JournalUnavailableError

Row = asyncpg.Record
_REPEATS = 10
_SESSION_CLASSES = ("08", "57", "25", "58", "XX")
"""Connection lost, server going down, read-only after a failover, input/output and internal errors."""

_SETTINGS = {
    "default_transaction_isolation": "read committed",
    # Plans are made once, as look-ups by key: statistics of tables that fill and empty all day mislead. A merge
    # or hash join reads an index from end to end; a bitmap scan never marks the dead entries it meets.
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_bitmapscan": "off",
    "jit": "off",
    # A client that vanished in the middle of a call must not keep its locks.
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}


class Link:
    """A lazily opened connection; safe to use from the tasks of one event loop.

    A call runs in a task of its own: a cancelled caller leaves it to finish, so the connection is never left
    in the middle of an exchange. After a broken connection or a time-out the next call connects anew.
    """

    def __init__(self, options: PostgresOptions) -> None:
        self._options = options
        self._connection: asyncpg.Connection[Row] | None = None
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[Sequence[Row]]] = set()
        self._name = "agentopic"

    async def call(self, query: str, *arguments: object) -> Sequence[Row]:
        """Run one statement in one transaction and return its rows.

        Raises:
            ProcessBuriedError: the process is dead.
            ValueRefusedError: a value is refused for good; nothing is stored.
            JournalUnavailableError: the outcome is unknown.
        """
        task = asyncio.create_task(self._serve(query, arguments))
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return await asyncio.shield(task)

    async def invoke(self, function: str, *arguments: object) -> Sequence[Row]:
        """Call one of the schema's functions; errors as for `call`."""
        return await self.call(_invocation(function, len(arguments)), *arguments)

    async def name_session(self, name: str) -> None:
        """Name this and every later connection, so that others can find and end the session."""
        self._name = name
        await self.call("SELECT set_config('application_name', $1, false)", name)

    async def connect(self) -> asyncpg.Connection[Row]:
        """Open a connection of its own, without translation of errors."""
        options = self._options
        settings = {
            **_SETTINGS,
            "search_path": options.schema,
            "application_name": self._name,
            "statement_timeout": f"{options.command_seconds * 1000:.0f}",
        }
        return await asyncpg.connect(options.dsn, timeout=options.connect_seconds, server_settings=settings)

    async def aclose(self) -> None:
        """Let running calls end and disconnect; bounded by the time of one call; idempotent."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._options.command_seconds)
        async with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                with suppress(*DRIVER_ERRORS):
                    await connection.close(timeout=self._options.connect_seconds)

    def _forget(self, task: asyncio.Task[Sequence[Row]]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # a cancelled caller no longer asks for it

    async def _serve(self, query: str, arguments: Sequence[object]) -> Sequence[Row]:
        async with self._lock:
            for _ in range(_REPEATS):
                try:
                    return await self._exchange(query, arguments)
                except asyncpg.PostgresError as error:
                    if not is_repeatable(error):
                        raise call_error(_name(query), error) from error
        raise JournalUnavailableError(f"{_name(query)} met a deadlock {_REPEATS} times in a row")

    async def _exchange(self, query: str, arguments: Sequence[object]) -> Sequence[Row]:
        connection = await self._open()
        try:
            async with asyncio.timeout(self._options.command_seconds):
                return await connection.fetch(query, *arguments)
        except asyncio.CancelledError:
            self._drop(connection)
            raise
        except asyncpg.PostgresError as error:
            if sqlstate(error).startswith(_SESSION_CLASSES):
                self._drop(connection)
            raise
        except DRIVER_ERRORS as error:
            if not is_value_refused(error):
                self._drop(connection)
            raise call_error(_name(query), error) from error

    async def _open(self) -> asyncpg.Connection[Row]:
        if self._connection is not None and not self._connection.is_closed():
            return self._connection
        try:
            self._connection = await self.connect()
        except DRIVER_ERRORS as error:
            raise JournalUnavailableError(
                f"no database answers at {self._options.place}: {error or type(error).__name__}"
            ) from error
        return self._connection

    def _drop(self, connection: asyncpg.Connection[Row]) -> None:
        connection.terminate()
        if self._connection is connection:
            self._connection = None


@lru_cache(maxsize=64)
def _invocation(function: str, arguments: int) -> str:
    numbers = ", ".join(f"${number}" for number in range(1, arguments + 1))
    return f"SELECT * FROM {function}({numbers})"  # noqa: S608 - the names are constants of this package


def _name(query: str) -> str:
    """Name a call in messages without showing values."""
    return query.removeprefix("SELECT * FROM ").partition("(")[0]
