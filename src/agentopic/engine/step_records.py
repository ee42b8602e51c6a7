"""Step records: how the journal's bytes of a step say what came of it, and when."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from datetime import datetime

from agentopic import errors
from agentopic.concealment import redacted
from agentopic.errors import RequestError, StepFailedError

VALUE, FAILURE = 0, 1
CANCELLED = "CancelledError"
_STAMP = struct.Struct(">BQ")


@dataclass(frozen=True, slots=True)
class StepRecord:
    """A recorded outcome, read back."""

    tag: int
    at_ms: int
    """When it ended, in ms since the epoch."""
    payload: bytes

    @property
    def failed(self) -> bool:
        """Whether the call failed, rather than returned."""
        return self.tag == FAILURE

    @property
    def cancelled_after(self) -> float | None:
        """The seconds after which code of the turn itself broke off this wait; None for any other outcome."""
        if self.tag != FAILURE:
            return None
        failure = json.loads(self.payload)
        return float(failure["after"]) if failure["type"] == CANCELLED else None

    def error(self) -> Exception:
        """Return the recorded failure as it is raised to the turn: errors of requests as their own classes."""
        failure = json.loads(self.payload)
        kind = getattr(errors, failure["type"], None)
        if isinstance(kind, type) and issubclass(kind, RequestError):
            return kind(failure["message"])
        return StepFailedError(failure["message"], failure["type"])


def value_record(payload: bytes, at: datetime) -> bytes:
    """Return what a step's result is stored as."""
    return _stamped(VALUE, at, payload)


def failure_record(error: Exception, at: datetime) -> bytes:
    """Return what a step's failure is stored as, secrets concealed."""
    failure = {"type": type(error).__name__, "message": redacted(str(error))}
    return _stamped(FAILURE, at, json.dumps(failure).encode())


def cancelled_record(seconds: float, at: datetime) -> bytes:
    """Return what is stored for a wait that code of the turn broke off after so many seconds."""
    failure = {"type": CANCELLED, "message": "broken off by its turn", "after": round(seconds, 3)}
    return _stamped(FAILURE, at, json.dumps(failure).encode())


def read_record(blob: bytes) -> StepRecord:
    """Read what was stored for a step."""
    tag, at_ms = _STAMP.unpack_from(blob)
    return StepRecord(tag, at_ms, blob[_STAMP.size :])


def _stamped(tag: int, at: datetime, payload: bytes) -> bytes:
    return _STAMP.pack(tag, int(at.timestamp() * 1000)) + payload
