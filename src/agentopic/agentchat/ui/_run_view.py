"""Follows a run for somebody who watches: what is shown, what it has cost, and when a person may be asked."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncGenerator
from typing import Protocol, TypeVar

from agentopic.agentchat.base import Response, TaskResult
from agentopic.agentchat.messages import BaseAgentEvent, BaseChatMessage, UserInputRequestedEvent
from agentopic.agentchat.ui._user_input_manager import UserInputManager
from agentopic.core.models import RequestUsage
from agentopic.switches import shows_inline_images

T = TypeVar("T", bound=TaskResult | Response)


class RunView(Protocol):
    """Shows a run."""

    async def message(self, message: BaseAgentEvent | BaseChatMessage) -> None:
        """Show what was said or what happened."""
        ...

    async def end(self, item: TaskResult | Response) -> None:
        """Show how it ended."""
        ...


class RunAccount:
    """Adds up what a run has cost, in tokens and in time."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._total = RequestUsage(prompt_tokens=0, completion_tokens=0)

    def add(self, message: BaseAgentEvent | BaseChatMessage) -> str | None:
        """Count a message; the line that says its tokens, if it has cost any."""
        usage = message.models_usage
        if usage is None:
            return None
        self._total.prompt_tokens += usage.prompt_tokens
        self._total.completion_tokens += usage.completion_tokens
        return f"[Prompt tokens: {usage.prompt_tokens}, Completion tokens: {usage.completion_tokens}]"

    def summary(self, item: TaskResult | Response) -> str:
        """All that was counted, as lines."""
        if isinstance(item, TaskResult):
            about = f"Number of messages: {len(item.messages)}\nFinish reason: {item.stop_reason}\n"
        else:
            about = f"Number of inner messages: {len(item.inner_messages or ())}\n"
        return (
            f"{about}Total prompt tokens: {self._total.prompt_tokens}\n"
            f"Total completion tokens: {self._total.completion_tokens}\n"
            f"Duration: {time.monotonic() - self._started:.2f} seconds\n"
        )


async def follow(
    stream: AsyncGenerator[BaseAgentEvent | BaseChatMessage | T, None],
    view: RunView,
    user_input_manager: UserInputManager | None,
) -> T:
    """Show every item and return the last TaskResult or Response; ValueError when there is none."""
    last: T | None = None
    async for item in stream:
        if isinstance(item, UserInputRequestedEvent):
            if user_input_manager is not None:
                user_input_manager.notify_event_received(item.request_id)
        elif isinstance(item, BaseAgentEvent | BaseChatMessage):
            await view.message(item)
        else:
            last = item
            await view.end(item)
    if last is None:
        raise ValueError("No TaskResult or Response was processed.")
    return last


def can_show_images(*, wanted: bool) -> bool:
    """Whether images are shown as such: where they are wanted and stdout is a terminal that can."""
    return wanted and sys.stdout.isatty() and shows_inline_images()
