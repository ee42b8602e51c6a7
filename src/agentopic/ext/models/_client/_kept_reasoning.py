"""`KeptReasoning`: what providers want back with a tool call, until its result is asked about."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Generic, TypeVar

from agentopic.core import FunctionCall

T = TypeVar("T")

_MOST = 1024


class KeptReasoning(Generic[T]):
    """Signed or encrypted reasoning as it came, by the id of the tool call after it.

    Messages have no place for it, so it lives in the client alone: after a restart the provider is not shown it, and
    the model thinks anew.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[str, T] = OrderedDict()

    def keep(self, call_id: str, reasoning: T) -> None:
        """Keep what came with a call; the oldest are forgotten beyond a thousand."""
        self._kept[call_id] = reasoning
        while len(self._kept) > _MOST:
            self._kept.popitem(last=False)

    def of(self, call_id: str) -> T | None:
        """What came with a call; None when it is not known."""
        return self._kept.get(call_id)

    def before(self, calls: Sequence[FunctionCall]) -> T | None:
        """What came before these calls; None when it is not known."""
        return self._kept.get(calls[0].id) if calls else None
