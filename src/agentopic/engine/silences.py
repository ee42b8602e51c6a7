"""Silences: how long the owners of process-lived agents have not been heard, across the attempts of those who ask."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

_KEPT = 10_000


def _now() -> float:
    return asyncio.get_running_loop().time()


@dataclass(slots=True)
class Silence:
    """Since when, and through how many sent requests, nothing was heard."""

    since: float = field(default_factory=_now)
    sent: int = 0

    def lasts(self, requests: int, seconds: float) -> bool:
        """Whether it has outlived so many requests and so much time."""
        return self.sent >= requests and _now() - self.since >= seconds

    def broken(self) -> None:
        """Somebody was heard: count anew."""
        self.since, self.sent = _now(), 0


class Silences:
    """One per request that is open: a turn that is unwound while it asks goes on counting when it asks again."""

    def __init__(self) -> None:
        self._of: dict[str, Silence] = {}

    def of(self, request_id: str) -> Silence:
        """Return the silence about a request, from now on when there is none; the oldest make room."""
        found = self._of.get(request_id)
        if found is None:
            if len(self._of) >= _KEPT:
                del self._of[next(iter(self._of))]
            found = self._of[request_id] = Silence()
        return found

    def over(self, request_id: str) -> None:
        """Forget it: the request has its answer."""
        self._of.pop(request_id, None)
