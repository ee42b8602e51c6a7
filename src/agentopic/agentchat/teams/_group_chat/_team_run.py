"""`TeamRun`: one run of a team as its caller sees it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import TypeAlias

from agentopic.agentchat.messages import BaseAgentEvent, BaseChatMessage
from agentopic.agentchat.teams._group_chat._events import GroupChatBegun, GroupChatTermination
from agentopic.core import CancellationToken
from agentopic.errors import TeamError


@dataclass(frozen=True, slots=True)
class _Stopped:
    error: BaseException | None


_Item: TypeAlias = BaseAgentEvent | BaseChatMessage | GroupChatBegun | GroupChatTermination | _Stopped


class TeamRun:
    """Takes what the manager puts out, and gives what belongs to this run.

    `token` is cancelled with the caller's token, and when the caller does not want the rest.
    """

    def __init__(self, number: int, callers_token: CancellationToken | None) -> None:
        self.number = number
        self.token = CancellationToken()
        self._queue: asyncio.Queue[_Item] = asyncio.Queue()
        self._link: asyncio.Future[None] | None = None
        if callers_token is not None:
            self._link = asyncio.get_running_loop().create_future()
            callers_token.link_future(self._link)
            self._link.add_done_callback(self._caller_cancelled)
            if callers_token.is_cancelled():
                self.token.cancel()

    async def put(self, item: BaseAgentEvent | BaseChatMessage | GroupChatBegun | GroupChatTermination, /) -> None:
        """Take the manager's next item."""
        self._queue.put_nowait(item)

    def runtime_stopped(self, idle: asyncio.Task[None]) -> None:
        """Learn that nothing more will come, because of an error or because nobody has anything to do."""
        if not idle.cancelled():
            self._queue.put_nowait(_Stopped(idle.exception()))

    async def items(self) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | GroupChatTermination, None]:
        """Everything in order; the last item is the termination.

        Raises:
            asyncio.CancelledError: the caller's token was cancelled.
            TeamError: nobody has anything to do, and the run is not over.
        """
        has_begun = False
        while True:
            item = await self._queue.get()
            if isinstance(item, _Stopped):
                raise item.error or TeamError("the run has come to a standstill: no participant has anything to do")
            if isinstance(item, GroupChatBegun):
                has_begun = item.run == self.number
            elif has_begun:
                yield item
                if isinstance(item, GroupChatTermination):
                    return

    def release(self) -> None:
        """Let go of the caller's token."""
        if self._link is not None and not self._link.done():
            self._link.set_result(None)

    def _caller_cancelled(self, link: asyncio.Future[None]) -> None:
        if link.cancelled():
            self.token.cancel()
            self._queue.put_nowait(_Stopped(asyncio.CancelledError()))


class RunOutput:
    """The in-process way out of a team: to the run that is in progress, if any."""

    def __init__(self) -> None:
        self.run: TeamRun | None = None

    async def put(self, item: BaseAgentEvent | BaseChatMessage | GroupChatBegun | GroupChatTermination, /) -> None:
        """Hand the item on."""
        if self.run is not None:
            await self.run.put(item)
