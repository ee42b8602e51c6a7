"""Step keys: which recorded step a call is, whatever the order of parallel branches."""

from __future__ import annotations

from contextvars import ContextVar
from hashlib import blake2b
from typing import Any

from agentopic.core._turn import StepSpec, current_path


class Scope:
    """A place whose steps are counted on their own: a turn, or the inside of a running step."""

    __slots__ = ("_minted", "broken_off", "key", "occurrences", "repeatable", "waiting")

    def __init__(self, key: bytes, *, repeatable: bool = False) -> None:
        self.key = key
        self.repeatable = repeatable
        self.broken_off: BaseException | None = None
        """What ended a wait inside this step, and is to end the step as well."""
        self.waiting = 0
        """How many waits are open inside this step."""
        self._minted: dict[tuple[str, ...], int] = {}
        self.occurrences: dict[bytes, int] = {}

    def step_key(self, spec: StepSpec[Any]) -> bytes:
        """Return the key of the next step of this kind, name and input at this place of the turn.

        A digest of (scope, path, kind, name, fingerprint of the input, n-th occurrence): it has no position, so that
        parallel branches need no order.
        """
        digest = _digest(spec.kind, spec.name, spec.input)
        return self._key(digest, self._next(digest))

    def next_key(self, spec: StepSpec[Any]) -> bytes:
        """Return what `step_key` would return now."""
        digest = _digest(spec.kind, spec.name, spec.input)
        return self._key(digest, self.occurrences.get(digest, 0) + 1)

    def number(self, name: str) -> int:
        """Count a name at this place of the turn."""
        return self._next(_digest("", name, b""))

    def next_id(self) -> tuple[str | int, ...]:
        """Return where in the turn an id is minted and its number there: branches side by side need no order."""
        path = current_path.get()
        number = self._minted[path] = self._minted.get(path, 0) + 1
        return self.key.hex(), number, *path

    def _next(self, digest: bytes) -> int:
        occurrence = self.occurrences[digest] = self.occurrences.get(digest, 0) + 1
        return occurrence

    def _key(self, digest: bytes, occurrence: int) -> bytes:
        return blake2b(digest + b"%d" % occurrence + self.key, digest_size=16).digest()


def _digest(kind: str, name: str, given: bytes) -> bytes:
    base = blake2b(digest_size=16)
    texts = [each.encode("utf-8", "surrogatepass") for each in (name, *current_path.get())]
    for part in (kind.encode(), texts[0], given, *texts[1:]):
        base.update(b"%d:" % len(part))
        base.update(part)
    return base.digest()


inside_step: ContextVar[Scope | None] = ContextVar("agentopic_inside_step", default=None)
"""The running step this task is part of, or None between steps."""
