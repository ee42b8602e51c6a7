"""Steps: intents before outside calls, results after them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class StepIntent:
    """An outside call about to be made under a lane's token."""

    lane: bytes
    token: int
    pos: int
    turn: bytes
    """Identity of the delivery the step belongs to."""
    key: bytes
    """16-byte digest of (scope path, kind, name, fingerprint of the input, n-th occurrence)."""
    kind: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """What came back from outside. Stored under any token where none is stored yet: the money is spent."""

    turn: bytes
    key: bytes
    result: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
    """A step as stored; `result` is None while only its intent is."""

    key: bytes
    kind: str
    name: str
    result: bytes | None
    fresh: bool = False
    """Whether this call stored the intent (True) or found it there already (False)."""


class Steps(Protocol):
    """The record of outside calls (journal.md rule 4). Errors as for `Lanes`."""

    async def open_steps(self, me: int, intents: Sequence[StepIntent]) -> Sequence[StepRow | None]:
        """Store intents and return the rows as stored, in order; None where the lane's token no longer matches.

        A row that is there already is returned as it is, with its result if it has one.
        """
        ...

    async def close_steps(self, me: int, results: Sequence[StepResult]) -> Sequence[StepRow]:
        """Store results where none is stored and return what is stored now, in order: the first writer wins."""
        ...

    async def recorded(self, turn: bytes) -> Sequence[StepRow]:
        """Return the steps of a turn, in the order of their intents."""
        ...
