"""`RichConsole`: shows a run as framed messages, in colour."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Final, TypeVar

from rich.align import AlignMethod
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from agentopic.agentchat.base import Response, TaskResult
from agentopic.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    ModelClientStreamingChunkEvent,
    MultiModalMessage,
)
from agentopic.agentchat.ui import UserInputManager
from agentopic.agentchat.ui._run_view import RunAccount, can_show_images, follow
from agentopic.core import Image

T = TypeVar("T", bound=TaskResult | Response)

_COLORS: Final[dict[str, str]] = {
    "user": "bright_green",
    "MagenticOneOrchestrator": "bright_blue",
    "WebSurfer": "bright_yellow",
    "FileSurfer": "bright_cyan",
    "Coder": "bright_magenta",
    "Executor": "bright_red",
}
_ALIGNMENTS: Final[dict[str, AlignMethod]] = {"user": "right", "MagenticOneOrchestrator": "center"}


async def RichConsole(  # noqa: N802 - AutoGen's name
    stream: AsyncGenerator[BaseAgentEvent | BaseChatMessage | T, None],
    *,
    no_inline_images: bool = False,
    output_stats: bool = False,
    user_input_manager: UserInputManager | None = None,
) -> T:
    """Show every whole message of `run_stream` or `on_messages_stream`; return the last TaskResult or Response.

    Streamed pieces are left out. Images are shown in an iTerm2 terminal unless `no_inline_images`; `output_stats`
    adds tokens and duration.

    Raises:
        ValueError: the stream ended without a TaskResult or Response.
    """
    images = can_show_images(wanted=not no_inline_images)
    return await follow(stream, _FramedView(output_stats=output_stats, images=images), user_input_manager)


class _FramedView:
    def __init__(self, *, output_stats: bool, images: bool) -> None:
        self._output_stats = output_stats
        self._images = images
        self._account = RunAccount()
        self._console = Console()

    async def message(self, message: BaseAgentEvent | BaseChatMessage) -> None:
        if isinstance(message, ModelClientStreamingChunkEvent):
            return
        texts, images = _parts(message)
        cost = self._account.add(message)
        if cost is not None and self._output_stats:
            texts.append(cost)
        if texts:
            await self._frame("\n".join(texts), message.source)
        for image in images:
            await asyncio.to_thread(self._picture, image)

    async def end(self, item: TaskResult | Response) -> None:
        if isinstance(item, Response):
            await self.message(item.chat_message)
        if self._output_stats:
            await self._frame(self._account.summary(item), "Summary")

    async def _frame(self, text: str, title: str) -> None:
        # Text, not markup: what models say is shown as it is, brackets included.
        panel = Panel(
            Text(text),
            title=Text(title),
            title_align=_ALIGNMENTS.get(title, "left"),
            border_style=_COLORS.get(title, "white"),
        )
        await asyncio.to_thread(self._console.print, panel)

    def _picture(self, image: Image) -> None:
        shown = f"\033]1337;File=inline=1:{image.to_base64()}\a\n" if self._images else "<image>\n"
        self._console.out(shown, highlight=False)


def _parts(message: BaseAgentEvent | BaseChatMessage) -> tuple[list[str], list[Image]]:
    if not isinstance(message, MultiModalMessage):
        return [message.to_text()], []
    texts = [part for part in message.content if isinstance(part, str)]
    return texts, [part for part in message.content if isinstance(part, Image)]
