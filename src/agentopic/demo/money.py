"""What the model calls were worth: counted from the call log, which no engine writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agentopic.testing.scripted_model import Call

# An answer younger than this at the kill may not have been stored yet: to its caller the call was still open.
_IN_HAND_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """A worker that was killed, and when."""

    worker: str
    at: float
    """Seconds since the epoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """The calls of a run."""

    calls: int
    open_at_kill: int
    """Calls of the killed worker that had no answer, or one that was less than 0.2 s old."""
    repaid: int
    """Answers asked for a second time because the first one was open at the kill."""
    repeated: int
    """Answers asked for again for no such reason: each is an error."""
    tokens: int


def open_calls(calls: Sequence[Call], caller: str) -> list[Call]:
    """Return the calls of one caller that wait for their answer."""
    return [call for call in calls if call.caller == caller and call.closed is None]


def is_quiet(calls: Sequence[Call], caller: str, now: float) -> bool:
    """Whether every answer this caller was sent is old enough to have been stored."""
    closed = [call.closed for call in calls if call.caller == caller and call.closed is not None]
    return not closed or now - max(closed) > _IN_HAND_SECONDS


def spending(calls: Sequence[Call], kill: Kill | None) -> Spending:
    """Count calls, and those that were paid more than once."""
    open_then = {call.call for call in calls if kill is not None and _was_open(call, kill)}
    earlier: dict[str, Call] = {}
    repaid = repeated = 0
    for call in calls:
        former = earlier.get(call.fingerprint)
        if former is not None and former.call in open_then:
            repaid += 1
        elif former is not None:
            repeated += 1
        # A refused call is not paid for: whoever asks again pays for the first time.
        if call.status in {200, None}:
            earlier[call.fingerprint] = call
    return Spending(
        calls=len(calls),
        open_at_kill=len(open_then),
        repaid=repaid,
        repeated=repeated,
        tokens=sum(call.prompt_tokens + call.completion_tokens for call in calls),
    )


def _was_open(call: Call, kill: Kill) -> bool:
    began_before = call.caller == kill.worker and call.opened <= kill.at
    return began_before and (call.closed is None or call.closed > kill.at - _IN_HAND_SECONDS)
