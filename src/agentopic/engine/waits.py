"""Waits: steps whose result comes from elsewhere: a reply, a point in time, a person."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from agentopic.core._turn import StepSpec
from agentopic.ports.journal import OutboxRow

T = TypeVar("T")


class TurnUnwound(BaseException):
    """Unwinds a turn that waits; a BaseException, so that no handler's code eats it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitSpec(StepSpec[T]):
    """A step of kind `request`, `timer` or `human`: while it is open, and nothing else, its turn holds no slot.

    Also a step whose intent is all there is to it: rows to send.
    """

    due_seconds: float | None = None
    """How long from its intent, by the journal's clock, until its timer fires or its deadline passes."""
    due_ms: int | None = None
    """The latest due time allowed, in ms since the epoch: an inherited deadline."""
    callee: bytes | None = None
    """Lane of the agent a request waits for: an edge for cycle detection."""
    note: bytes | None = None
    """What a question says."""
    again_seconds: float | None = None
    """How long after its turn was unwound `call` is made again, when nothing else tells how the wait ends."""
    outbox: Callable[[str], Sequence[OutboxRow]] | None = None
    """Rows that are stored and sent with a fresh intent, made from its id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """One waiting step, given to the code that gets its result."""

    key: bytes
    fresh: bool
    """Whether this attempt stored the intent."""
    due_ms: int | None
    """When its deadline passes or its timer fires, in ms since the epoch by the journal's clock."""
    due_at: float | None
    """The same by the event loop's clock (`loop.time()`)."""

    @property
    def id(self) -> str:
        """The idempotency key; of a request its id."""
        return self.key.hex()

    @property
    def remaining_seconds(self) -> float | None:
        """How long until it is due, never negative; None when it never is."""
        return None if self.due_at is None else max(0.0, self.due_at - asyncio.get_running_loop().time())
