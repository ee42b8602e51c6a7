"""`Console`: prints a run as it happens."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncGenerator
from typing import TypeVar

from agentopic.agentchat.base import Response, TaskResult
from agentopic.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    ModelClientStreamingChunkEvent,
    MultiModalMessage,
    UserInputRequestedEvent,
)
from agentopic.agentchat.ui._user_input_manager import UserInputManager
from agentopic.core.models import RequestUsage

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
    printer = _Printer(output_stats=output_stats, inline_images=not no_inline_images)
    last: T | None = None
    async for item in stream:
        if isinstance(item, UserInputRequestedEvent):
            if user_input_manager is not None:
                user_input_manager.notify_event_received(item.request_id)
        elif isinstance(item, BaseAgentEvent | BaseChatMessage):
            await printer.message(item)
        else:
            last = item
            await printer.end(item)
    if last is None:
        raise ValueError("No TaskResult or Response was processed.")
    return last


class _Printer:
    def __init__(self, *, output_stats: bool, inline_images: bool) -> None:
        self._output_stats = output_stats
        self._inline_images = inline_images and sys.stdout.isatty()
        self._started = time.monotonic()
        self._total = RequestUsage(prompt_tokens=0, completion_tokens=0)
        self._streaming = False

    async def message(self, message: BaseAgentEvent | BaseChatMessage) -> None:
        header = f"{'-' * 10} {type(message).__name__} ({message.source}) {'-' * 10}\n"
        if isinstance(message, ModelClientStreamingChunkEvent):
            await _print(message.content if self._streaming else header + message.content)
            self._streaming = True
            return
        if self._streaming:  # the text was already shown piece by piece
            self._streaming = False
            await _print("\n")
        else:
            await _print(f"{header}{self._text(message)}\n")
        await self._usage(message)

    async def end(self, item: TaskResult | Response) -> None:
        if isinstance(item, Response):
            await self.message(item.chat_message)
        if self._output_stats:
            await _print(self._summary(item))

    def _text(self, message: BaseAgentEvent | BaseChatMessage) -> str:
        if isinstance(message, MultiModalMessage):
            return message.to_text(iterm=self._inline_images)
        return message.to_text()

    async def _usage(self, message: BaseAgentEvent | BaseChatMessage) -> None:
        usage = message.models_usage
        if usage is None:
            return
        self._total.prompt_tokens += usage.prompt_tokens
        self._total.completion_tokens += usage.completion_tokens
        if self._output_stats:
            await _print(f"[Prompt tokens: {usage.prompt_tokens}, Completion tokens: {usage.completion_tokens}]\n")

    def _summary(self, item: TaskResult | Response) -> str:
        if isinstance(item, TaskResult):
            about = f"Number of messages: {len(item.messages)}\nFinish reason: {item.stop_reason}\n"
        else:
            about = f"Number of inner messages: {len(item.inner_messages or ())}\n"
        return (
            f"{'-' * 10} Summary {'-' * 10}\n{about}"
            f"Total prompt tokens: {self._total.prompt_tokens}\n"
            f"Total completion tokens: {self._total.completion_tokens}\n"
            f"Duration: {time.monotonic() - self._started:.2f} seconds\n"
        )


async def _print(text: str) -> None:
    await asyncio.to_thread(_write, text)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
