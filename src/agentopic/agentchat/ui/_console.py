"""`Console`: prints a run as it happens."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from typing import TypeVar

from agentopic.agentchat.base import Response, TaskResult
from agentopic.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    ModelClientStreamingChunkEvent,
    MultiModalMessage,
)
from agentopic.agentchat.ui._run_view import RunAccount, can_show_images, follow
from agentopic.agentchat.ui._user_input_manager import UserInputManager

T = TypeVar("T", bound=TaskResult | Response)


async def Console(  # noqa: N802 - AutoGen's name
    stream: AsyncGenerator[BaseAgentEvent | BaseChatMessage | T, None],
    *,
    no_inline_images: bool = False,
    output_stats: bool = False,
    user_input_manager: UserInputManager | None = None,
) -> T:
    """Print every message of `run_stream` or `on_messages_stream` and return the last TaskResult or Response.

    Images are shown in an iTerm2 terminal unless `no_inline_images`; `output_stats` adds tokens and duration.

    Raises:
        ValueError: the stream ended without a TaskResult or Response.
    """
    images = can_show_images(wanted=not no_inline_images)
    return await follow(stream, _PlainView(output_stats=output_stats, images=images), user_input_manager)


class _PlainView:
    def __init__(self, *, output_stats: bool, images: bool) -> None:
        self._output_stats = output_stats
        self._images = images
        self._account = RunAccount()
        self._streaming = False

    async def message(self, message: BaseAgentEvent | BaseChatMessage) -> None:
        await self._show(message, f"{type(message).__name__} ({message.source})")

    async def end(self, item: TaskResult | Response) -> None:
        if isinstance(item, Response):
            await self._show(item.chat_message, item.chat_message.source)
        if self._output_stats:
            await _print(f"{_header('Summary')}{self._account.summary(item)}")

    async def _show(self, message: BaseAgentEvent | BaseChatMessage, title: str) -> None:
        if isinstance(message, ModelClientStreamingChunkEvent):
            await _print(message.content if self._streaming else _header(title) + message.content)
            self._streaming = True
            return
        if self._streaming:  # the text was already shown piece by piece
            self._streaming = False
            await _print("\n")
        else:
            await _print(f"{_header(title)}{self._text(message)}\n")
        cost = self._account.add(message)
        if cost is not None and self._output_stats:
            await _print(f"{cost}\n")

    def _text(self, message: BaseAgentEvent | BaseChatMessage) -> str:
        if isinstance(message, MultiModalMessage):
            return message.to_text(iterm=self._images)
        return message.to_text()


def _header(title: str) -> str:
    return f"{'-' * 10} {title} {'-' * 10}\n"


async def _print(text: str) -> None:
    await asyncio.to_thread(_write, text)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
