"""Repeats a failed call, with growing pauses or the one the provider asks for."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from agentopic.core._turn import current_turn
from agentopic.errors import ModelUnavailableError

T = TypeVar("T")

DEFAULT_RETRIES: Final = 3

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 8.0
_LONGEST_WISH_SECONDS = 60.0


async def repeated(call: Callable[[], Awaitable[T]], retries: int) -> T:
    """Make a call, and make it again up to `retries` times while its failure may pass.

    Inside a durable turn it is made once: its engine repeats steps. A provider that asks for a pause above a minute
    gets its error handed on.
    """
    allowed = 0 if current_turn.get() is not None else retries
    for failures in itertools.count(1):
        try:
            return await call()
        except ModelUnavailableError as error:
            wished = error.retry_after_seconds or 0.0
            if failures > allowed or wished > _LONGEST_WISH_SECONDS:
                raise
            await asyncio.sleep(max(wished, _pause(failures)) if wished else _pause(failures))
    raise AssertionError("unreachable")


def _pause(failures: int) -> float:
    ceiling = min(_FIRST_PAUSE_SECONDS * 2 ** (failures - 1), _LONGEST_PAUSE_SECONDS)
    return ceiling * (0.75 + 0.25 * random.random())
