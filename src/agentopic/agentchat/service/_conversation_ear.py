"""`ConversationEar`: what a caller hears of one conversation, from whichever process it is worked on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from agentopic.agentchat.service._payloads import TeamOutput
from agentopic.core import CancellationToken


@dataclass(frozen=True, slots=True)
class Previewed:
    """A message that a participant has shown and not committed yet."""

    run: int
    message: Mapping[str, Any]


class CallerLeft:
    """The caller's token was cancelled."""


CALLER_LEFT: Final = CallerLeft()
Heard: TypeAlias = TeamOutput | Previewed | CallerLeft


@dataclass(slots=True, eq=False)
class ConversationEar:
    """Takes what is heard until it is asked for."""

    conversation: str
    _heard: asyncio.Queue[Heard] = field(default_factory=asyncio.Queue[Heard])

    def hear(self, item: Heard) -> None:
        """Take the next item."""
        self._heard.put_nowait(item)

    def listen_to(self, token: CancellationToken | None) -> asyncio.Future[None]:
        """Hear `CALLER_LEFT` when the token is cancelled, as long as what is returned is not."""
        link: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if token is not None:
            token.link_future(link)
            link.add_done_callback(lambda _: self.hear(CALLER_LEFT) if token.is_cancelled() else None)
        return link

    async def next(self, seconds: float) -> Heard | None:
        """The next item; None when there is none within that time."""
        try:
            async with asyncio.timeout(seconds):
                return await self._heard.get()
        except TimeoutError:
            return None
