"""`UserInputManager`: asks a person only after the console has shown why."""

from __future__ import annotations

import asyncio
import inspect
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import TypeAlias, cast

from agentopic.agentchat.agents import UserProxyAgent
from agentopic.core import CancellationToken

SyncInputFunc: TypeAlias = Callable[[str], str]
AsyncInputFunc: TypeAlias = Callable[[str, CancellationToken | None], Awaitable[str]]


class UserInputManager:
    """Wraps an input function so that it waits until its request's event has been shown.

    Give the wrapped function to a UserProxyAgent and the manager to the console that shows its run.
    """

    def __init__(self, callback: SyncInputFunc | AsyncInputFunc) -> None:
        self.callback = callback
        self.input_events: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        """Whether the event was shown, by request ids; an entry goes when its person is asked."""

    def get_wrapped_callback(self) -> AsyncInputFunc:
        """The input function to give to the agent that asks; it raises ContextError outside of one."""

        async def ask(prompt: str, cancellation_token: CancellationToken | None = None) -> str:
            request_id = UserProxyAgent.InputRequestContext.request_id()
            await self.input_events[request_id].wait()
            del self.input_events[request_id]
            if inspect.iscoroutinefunction(self.callback):
                return await cast("AsyncInputFunc", self.callback)(prompt, cancellation_token)
            return await asyncio.to_thread(cast("SyncInputFunc", self.callback), prompt)

        return ask

    def notify_event_received(self, request_id: str) -> None:
        """The event of a request has been shown."""
        self.input_events[request_id].set()
