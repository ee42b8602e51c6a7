"""`Failure`: tells an error of user code, which others must hear of, from what ends the task itself."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from agentopic.agentchat.base import TerminatedException
from agentopic.core import CancellationToken
from agentopic.core._turn import current_turn
from agentopic.core.tools._tool_failure import NOT_FOR_THE_MODEL


class Failure:
    """Holds the error a block of user code ended with, for it to be told.

    What is not meant for others goes through: the cancellation of the run or of this task, what is no Exception (the
    unwinding of a durable turn), and inside a durable turn what is said to the engine.
    """

    __slots__ = ("_token", "error")

    def __init__(self, token: CancellationToken) -> None:
        self._token = token
        self.error: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if isinstance(error, NOT_FOR_THE_MODEL) and current_turn.get() is not None:
            return False
        if isinstance(error, Exception | TerminatedException) or self._cancelled_itself(error):
            self.error = error
        return self.error is not None

    def _cancelled_itself(self, error: BaseException | None) -> bool:
        if not isinstance(error, asyncio.CancelledError) or self._token.is_cancelled():
            return False
        task = asyncio.current_task()
        return task is not None and not task.cancelling()
