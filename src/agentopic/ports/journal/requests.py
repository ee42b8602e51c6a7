"""Requests of callers outside a turn: scripts, the gateway, the bridge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from agentopic.ports.journal.lanes import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """A request as stored: open while `outcome` is None."""

    request_id: str
    target: str
    """The AgentId asked, `<type>/<key>`."""
    remaining_seconds: float | None
    """Time until the deadline by the journal's clock as this row was read; None: it has none."""
    due_ms: int | None = None
    """The deadline in ms since the epoch by the journal's clock, by which the callee's delivery is judged, too."""
    outcome: Outcome | None = None
    value: bytes | None = None
    """The answer, an envelope in the JSON event format."""
    fresh: bool = False


class Requests(Protocol):
    """The record of requests that no turn vouches for. Errors as for `Lanes`."""

    async def open_request(self, me: int, request_id: str, target: str, seconds: float | None) -> RequestRow:
        """Store a request and return the row: the one found, with its answer, when it was asked before."""
        ...

    async def close_request(
        self, me: int, request_id: str, outcome: Outcome, value: bytes | None, keep_seconds: float
    ) -> RequestRow:
        """Store how a request ended, where nothing is stored yet, and return the row as it stands."""
        ...
