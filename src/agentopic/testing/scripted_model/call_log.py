"""The append-only log of calls: one line when a call opens, one when its answer has been sent."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agentopic.testing.scripted_model.answers import ChatRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call as the log tells it."""

    call: int
    """Numbers calls from 1 in the order they came in."""
    caller: str
    fingerprint: str
    model: str
    opened: float
    """Seconds since the epoch."""
    closed: float | None = None
    """When the answer had been sent or its receiver was gone; None while the call is open."""
    status: int | None = None
    delivered: bool = False
    """Whether the answer could be sent."""
    prompt_tokens: int = 0
    completion_tokens: int = 0


class CallLog:
    """Writes the log; each line with one system call, so that a reader sees whole lines only."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self._calls = 0

    def opened(self, request: ChatRequest) -> int:
        """Note that a call came in, and return its number."""
        self._calls += 1
        facts = {"caller": request.caller, "fingerprint": request.fingerprint, "model": request.model}
        self._write({"event": "opened", "call": self._calls, "at": time.time(), **facts})
        return self._calls

    def closed(self, call: int, *, status: int, delivered: bool, prompt_tokens: int, completion_tokens: int) -> None:
        """Note that a call has ended."""
        tokens = {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens}
        facts = {"status": status, "delivered": delivered, **tokens}
        self._write({"event": "closed", "call": call, "at": time.time(), **facts})

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _write(self, fact: dict[str, Any]) -> None:
        os.write(self._descriptor, json.dumps(fact).encode() + b"\n")


def read_calls(path: Path) -> list[Call]:
    """Return the calls of a log in the order they came in; none when there is no file yet."""
    return _calls(path.read_text().splitlines()) if path.exists() else []


def _calls(lines: Iterable[str]) -> list[Call]:
    calls: dict[int, Call] = {}
    for line in lines:
        fact: dict[str, Any] = json.loads(line)
        event, number, at = fact.pop("event"), fact.pop("call"), fact.pop("at")
        if event == "opened":
            calls[number] = Call(call=number, opened=at, **fact)
        else:
            calls[number] = replace(calls[number], closed=at, **fact)
    return list(calls.values())
