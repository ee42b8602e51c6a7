"""What the model is told about a tool call that failed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar, cast

from agentopic.concealment import redacted
from agentopic.core._cancellation_token import CancellationToken
from agentopic.errors import (
    DivergedError,
    JournalError,
    Reject,
    RetryLater,
    StepOutcomeUnknownError,
    TransportError,
    TurnClosedError,
)

T = TypeVar("T")

NOT_FOR_THE_MODEL = (JournalError, TransportError, TurnClosedError, DivergedError, RetryLater, Reject)
"""Failures around a call, not of the tool: they end the attempt instead of being told to the model."""


_told: ContextVar[bool] = ContextVar("agentopic_failures_are_told", default=False)


class ToolFailure(Exception):  # noqa: N818 - caught where the result is made, never seen by callers
    """A tool raised; `text` says it to the model."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(text)


async def await_tool(call: Awaitable[T], cancellation_token: CancellationToken) -> T:
    """Wait for a tool call, linked to the token.

    Raises:
        ToolFailure: the tool raised, or whether it ran is unknown.
        asyncio.CancelledError: the token was cancelled.
    """
    with telling():
        future = asyncio.ensure_future(call)
    cancellation_token.link_future(future)
    try:
        with told_failures():
            return await future
    finally:
        future.cancel()


@contextmanager
def telling() -> Generator[None]:
    """Have tool calls made in this block know that their failures are told to a model: these are results, too."""
    token = _told.set(True)
    try:
        yield
    finally:
        _told.reset(token)


def failures_are_told() -> bool:
    """Whether a failure of the call being made will be told to a model, whatever its kind."""
    return _told.get()


@contextmanager
def told_failures() -> Generator[None]:
    """Raise ToolFailure in place of what a tool raises in this block, unless it is not for the model."""
    try:
        yield
    except NOT_FOR_THE_MODEL:
        raise
    except Exception as exc:
        raise ToolFailure(failure_text(exc)) from exc


def failure_text(error: BaseException) -> str:
    """One failure as text, without secrets; a group as its members' texts."""
    if isinstance(error, StepOutcomeUnknownError):
        return (
            "The outcome of this call is unknown: it was under way when its process died, and may or may not have "
            "taken effect. It was not repeated. Check before calling it again."
        )
    if isinstance(error, BaseExceptionGroup):
        members = cast("BaseExceptionGroup[Any]", error).exceptions
        return "\n".join(failure_text(member) for member in members)
    return redacted(str(error)) or type(error).__name__
