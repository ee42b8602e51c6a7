"""Starting and stopping Kafka clients in bounded time, without leaking what they open on the way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

_log = logging.getLogger("agentopic.transport.kafka")

Closing = Callable[[], Coroutine[Any, Any, None]]


async def within(seconds: float, what: str, closing: Coroutine[Any, Any, None]) -> None:
    """Await a client's closing at most so long; what it then still holds is left to the garbage collector."""
    task = asyncio.ensure_future(closing)
    done, _ = await asyncio.wait([task], timeout=seconds)
    if not done:
        task.cancel()
        await asyncio.wait([task], timeout=1.0)
        _log.warning("closing %s took longer than %s s and was given up", what, seconds)
    elif not task.cancelled() and task.exception() is not None:
        _log.warning("closing %s failed: %r", what, task.exception())


class ClientStarts:
    """Starts clients that must not be cancelled while they connect: they would leave the connection open.

    A start that is given up, because it takes too long or its caller is cancelled, goes on unseen and is undone
    when it ends.
    """

    def __init__(self) -> None:
        self._undoing: set[asyncio.Task[None]] = set()

    async def run(self, start: Coroutine[Any, Any, None], stop: Closing, seconds: float) -> None:
        """Start a client.

        Raises:
            TimeoutError: it took longer than `seconds`; and whatever the client raises.
        """
        starting = asyncio.create_task(start)
        try:
            async with asyncio.timeout(seconds):
                await asyncio.shield(starting)
        except BaseException:
            undoing = asyncio.create_task(_undo(starting, stop))
            self._undoing.add(undoing)
            undoing.add_done_callback(self._undoing.discard)
            raise

    async def settle(self, seconds: float) -> None:
        """Wait until given-up starts are undone, at most so long."""
        if self._undoing:
            await asyncio.wait(tuple(self._undoing), timeout=seconds)


async def _undo(starting: Awaitable[None], stop: Closing) -> None:
    await asyncio.wait([asyncio.ensure_future(starting)])
    await stop()
