"""Steps: intents before outside calls, results after them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from agentopic.ports.journal.outbox import OutboxRow, StoredRow
from agentopic.ports.journal.spending import Spend


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
    due_seconds: float | None = None
    """How long from now, by the journal's clock, until its timer fires or its deadline passes."""
    due_ms: int | None = None
    """The latest due time allowed, in ms since the epoch: an inherited deadline."""
    callee: bytes | None = None
    """Lane of the agent a request waits for: an edge for cycle detection, kept until the result is stored."""
    note: bytes | None = None
    """What a question says; `questions` returns it."""
    outbox: tuple[OutboxRow, ...] = ()
    """Rows of the lane stored with a fresh intent, in the same transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """What came back from outside. Stored under any token where none is stored yet: the money is spent."""

    turn: bytes
    key: bytes
    result: bytes
    lane: bytes | None = None
    """The lane that waits for it: its edge is cut, and nobody running its head, a first result makes it ready; its turn
    running, a first result of a waiting kind says that it goes on (`Membership.bury`)."""
    token: int | None = None
    """Given, the result is stored only while `lane` is held under this token, else nothing happens and the row is
    returned without a result: for what did not come from outside (a time-out, a cancellation)."""
    spend: tuple[Spend, ...] = ()
    """What the call cost; counted with the result, whether or not that was the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
    """A step as stored; `result` is None while only its intent is."""

    key: bytes
    kind: str
    name: str
    result: bytes | None
    fresh: bool = False
    """Whether this call stored the intent (True) or found it there already (False)."""
    due_ms: int | None = None
    """When its timer fires or its deadline passes, in ms since the epoch by the journal's clock."""
    remaining_seconds: float | None = None
    """How long until then as this row was read; negative when it has passed."""
    rows: tuple[StoredRow, ...] = ()
    """The rows stored with a fresh intent, to be sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A step of kind `human` that has no answer yet."""

    group: str
    key: str
    """The agent's key."""
    turn: bytes
    step: bytes
    note: bytes
    asked_ms: int


class Steps(Protocol):
    """The record of outside calls (journal.md rule 4). Errors as for `Lanes`."""

    async def open_steps(self, me: int, intents: Sequence[StepIntent]) -> Sequence[StepRow | None]:
        """Store intents and return the rows as stored, in order; None where the lane's token no longer matches.

        A row that is there already is returned as it is, with its result if it has one; while it has none, its edge
        is written again where it is missing. Due is what comes first of `due_seconds` from now and `due_ms`. One of a
        waiting kind without a result says that the turn waits (`Membership.bury`).
        """
        ...

    async def close_steps(self, me: int, results: Sequence[StepResult]) -> Sequence[StepRow]:
        """Store results where none is stored and return what is stored now, in order: the first writer wins."""
        ...

    async def questions(self, groups: Sequence[str]) -> Sequence[Question]:
        """Return the open questions of these groups' unfinished turns, oldest first."""
        ...

    async def recorded(self, turn: bytes) -> Sequence[StepRow]:
        """Return the steps of a turn, in the order of their intents."""
        ...
