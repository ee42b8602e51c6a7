"""`UserInputManager`: asks a person only after the console has shown why."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeAlias, cast

from agentopic.core import CancellationToken

SyncInputFunc: TypeAlias = Callable[[str], str]
AsyncInputFunc: TypeAlias = Callable[[str, CancellationToken | None], Awaitable[str]]


class UserInputManager:
    """Wraps an input function so that it waits until its request's event has been shown."""

    def __init__(self, callback: SyncInputFunc | AsyncInputFunc) -> None:
        self._callback = callback
        self._shown = asyncio.Semaphore(0)

    def get_wrapped_callback(self) -> AsyncInputFunc:
        """The input function to give to the agent that asks."""

        async def ask(prompt: str, cancellation_token: CancellationToken | None = None) -> str:
            await self._shown.acquire()
            if inspect.iscoroutinefunction(self._callback):
                return await cast("AsyncInputFunc", self._callback)(prompt, cancellation_token)
            return await asyncio.to_thread(cast("SyncInputFunc", self._callback), prompt)

        return ask

    def notify_event_received(self, request_id: str) -> None:
        """The event of a request has been shown."""
        self._shown.release()
