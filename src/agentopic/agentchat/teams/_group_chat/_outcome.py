"""`failure_of`: runs a coroutine of user code and tells an error it ended with from what ends the task itself."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from agentopic.agentchat.base import TerminatedException
from agentopic.core import CancellationToken


async def failure_of(work: Coroutine[Any, Any, None], token: CancellationToken) -> BaseException | None:
    """The error of user code, to be told to others; None when there was none.

    Raises:
        asyncio.CancelledError: this task, or the run by its token, was cancelled.
        BaseException: what is no Exception, and so is not meant for users (the unwinding of a durable turn).
    """
    (outcome,) = await asyncio.gather(work, return_exceptions=True)
    if outcome is None or isinstance(outcome, Exception | TerminatedException):
        return outcome
    if isinstance(outcome, asyncio.CancelledError) and not token.is_cancelled():
        return outcome  # the user's code cancelled itself; whoever waits for its answer must hear of it
    raise outcome
