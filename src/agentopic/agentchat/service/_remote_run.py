"""`RemoteRun`: one run of a deployed team, put together from what is heard of it and what the manager is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Final

from agentopic.agentchat.base import TaskResult
from agentopic.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    MessageFactory,
)
from agentopic.agentchat.service._conversation_ear import CallerLeft, ConversationEar, Previewed
from agentopic.agentchat.service._payloads import READ_ITEMS, RunEnd, TeamOutput, TeamStatus
from agentopic.errors import MessageFormatError, RequestCancelledError, TeamError

FIRST_PATIENCE_SECONDS: Final = 1.0
"""How long nothing may be heard before the manager is asked; twice as long each time, and anew with each item."""
LONGEST_PATIENCE_SECONDS: Final = 30.0

Read = Callable[[int, int], Awaitable[TeamStatus]]


class RemoteRun:
    """Gives each message of a run once: its preview at once, or its committed copy in its place by number.

    `read` asks the manager for the items of a run from a number on: what was not heard is asked for.
    """

    def __init__(self, run: int, factory: MessageFactory, ear: ConversationEar, read: Read) -> None:
        self._run, self._factory, self._ear, self._read = run, factory, ear, read
        self._items: dict[int, TeamOutput] = {}
        self._next = 0
        self._shown: set[str] = set()
        self._messages: list[BaseAgentEvent | BaseChatMessage] = []
        self._patience = FIRST_PATIENCE_SECONDS
        self._has_more = False

    async def follow(self, status: TeamStatus) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | TaskResult, None]:
        """Everything from the beginning of the run to its result.

        Raises:
            TeamError: the run has failed, or another one has begun since.
            RequestCancelledError: it was cancelled.
        asyncio.CancelledError: the caller's token was.
        """
        self._take(status)
        while True:
            while (item := self._items.pop(self._next, None)) is not None:
                if item.end is not None:
                    yield self._result(item.end)
                    return
                message = self._committed(item)
                if message is not None:
                    yield message
            preview = await self._listen()
            if preview is not None:
                yield preview

    async def _listen(self) -> BaseAgentEvent | BaseChatMessage | None:
        heard = await self._ear.next(0.0 if self._is_behind else self._patience)
        if heard is None:
            self._patience = min(2 * self._patience, LONGEST_PATIENCE_SECONDS)
            self._take(await self._read(self._run, self._next))
            return None
        if isinstance(heard, CallerLeft):
            raise asyncio.CancelledError
        if heard.run != self._run:
            return None
        self._patience = FIRST_PATIENCE_SECONDS
        if isinstance(heard, TeamOutput):
            self._keep(heard)
            return None
        return self._preview(heard)

    @property
    def _is_behind(self) -> bool:
        """Whether something is missing that will not come by itself: what follows it is there already."""
        return self._has_more or bool(self._items)

    def _take(self, status: TeamStatus) -> None:
        if status.run != self._run:
            raise TeamError(f"run {self._run} of the conversation is over: run {status.run} has begun since")
        self._has_more = len(status.items) == READ_ITEMS
        for item in status.items:
            self._keep(item)

    def _keep(self, item: TeamOutput) -> None:
        if item.number >= self._next:
            self._items[item.number] = item

    def _committed(self, item: TeamOutput) -> BaseAgentEvent | BaseChatMessage | None:
        """The message, unless it was shown already."""
        self._next += 1
        if item.message is None:
            return None
        message = item.message.message(self._factory)
        self._messages.append(message)
        is_new = message.id not in self._shown
        self._shown.add(message.id)
        return message if is_new else None

    def _preview(self, heard: Previewed) -> BaseAgentEvent | BaseChatMessage | None:
        """The message, unless it was shown already or is of a class that is not known here."""
        try:
            message = self._factory.create(heard.message)
        except (MessageFormatError, ValueError):
            return None  # the committed copy says what is wrong with it
        if message.id in self._shown:
            return None
        self._shown.add(message.id)
        return message

    def _result(self, end: RunEnd) -> TaskResult:
        if end.outcome == "cancelled":
            raise RequestCancelledError(end.stop_reason or "the run was cancelled")
        if end.error is not None:
            error = end.error
            raise TeamError(str(error), error.error_type, error.error_message or error.error_type)
        return TaskResult(messages=self._messages, stop_reason=end.stop_reason)
