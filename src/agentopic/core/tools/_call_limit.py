"""How long one tool call may take, and how much of its result a model is shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final

from agentopic.core._waiting_clock import running_clock
from agentopic.errors import ToolResultTooLargeError, ToolTimeoutError

TIMEOUT_SECONDS: Final = 600.0
"""How long a tool may take unless it says otherwise."""

RESULT_CHARACTERS: Final = 1_000_000
"""How long the text of a tool's result may be unless it says otherwise."""


@asynccontextmanager
async def time_limit(tool: Any, name: str | None = None) -> AsyncGenerator[None]:
    """End the enclosed call when the tool's time is over; waiting for a person or a timer does not count.

    `tool` may be the workbench that has the tool of this name.

    Raises:
        ToolTimeoutError: the time was over.
    """
    seconds: float | None = tool.timeout_seconds
    if seconds is None:
        yield
        return
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            with running_clock(limit):
                yield
    except TimeoutError as exc:
        if limit.expired():
            raise ToolTimeoutError(f"tool {(name or tool.name)!r} did not end within {seconds:g} s") from exc
        raise


def result_text(tool: Any, value: Any) -> str:
    """The text of a result as the model reads it; what cannot be written as UTF-8 is replaced.

    Raises:
        ToolResultTooLargeError: it is longer than the tool's limit.
    """
    text: str = tool.return_value_as_string(value)
    check_length(tool.name, text, getattr(tool, "max_result_characters", RESULT_CHARACTERS))
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def check_length(name: str, text: str, limit: int | None) -> None:
    """Refuse a text that is longer than the limit of the tool of this name.

    Raises:
        ToolResultTooLargeError: it is.
    """
    if limit is not None and len(text) > limit:
        raise ToolResultTooLargeError(
            f"the result of tool {name!r} has {len(text)} characters, more than the {limit} that are shown; "
            "ask for less of it"
        )
