"""The step log of an attempt: what earlier ones recorded, what this one opens and closes, and the counts of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from agentopic.core._turn import StepSpec
from agentopic.engine.attempt import Attempt
from agentopic.engine.step_records import StepRecord, read_record
from agentopic.engine.waits import WaitSpec
from agentopic.engine.writer import Writer
from agentopic.ports.journal import Spend, StepIntent, StepResult, StepRow

T = TypeVar("T")

PAID = frozenset({"model", "tool", "effect", "saga"})
"""Kinds of steps that this process calls itself."""


class TurnLost(BaseException):
    """Unwinds a turn whose lane is held by another process; a BaseException, so that no handler's code eats it."""


@dataclass(slots=True)
class StepCounts:
    """What became of the steps of one kind in one attempt."""

    made: int = 0
    """Calls made, retries inside a step included."""
    saved: int = 0
    """Calls not made because their result was recorded."""
    unknown: int = 0
    """Calls made again because an earlier one had no recorded outcome."""
    diverged: int = 0
    """Recorded results that the committing attempt did not ask for."""


class StepLog:
    """The steps of one attempt as the journal keeps them."""

    __slots__ = (
        "_attempt",
        "_has_asked",
        "_open_requests",
        "_used",
        "_writer",
        "counts",
        "last_ms",
        "recorded",
        "stray",
    )

    def __init__(self, attempt: Attempt, recorded: Mapping[bytes, StepRow], *, writer: Writer) -> None:
        self.recorded = recorded
        self.last_ms = 0
        """When the latest step ended, in ms since the epoch, as recorded; 0 before the first."""
        self.counts: dict[str, StepCounts] = {}
        """By step kind."""
        self.stray: list[Spend] = []
        """What was spent on calls that have no recorded result."""
        self._attempt, self._writer = attempt, writer
        self._has_asked = False
        self._used: set[bytes] = set()
        self._open_requests: dict[bytes, str] = {}

    @property
    def has_saga(self) -> bool:
        """Whether an earlier attempt has begun deeds of a saga."""
        return bool(self.recorded) and any(row.kind == "saga" for row in self.recorded.values())

    @property
    def has_asked(self) -> bool:
        """Whether requests were opened, by this attempt or an earlier one."""
        return self._has_asked or (bool(self.recorded) and any(row.kind == "request" for row in self.recorded.values()))

    def count(self, kind: str) -> StepCounts:
        """Return the counts of a kind."""
        return self.counts.setdefault(kind, StepCounts())

    def known(self, key: bytes) -> StepRow | None:
        """Return what an earlier attempt left of a step."""
        row = self.recorded.get(key)
        if row is not None:
            self._used.add(key)
        return row

    async def open(self, spec: StepSpec[Any], key: bytes) -> StepRow:
        """Store an intent and return the row as stored.

        Raises:
            TurnLost: the lane is held by another process.
        """
        row = await self._writer.open_step(self._intent(spec, key))
        if row is None:
            raise TurnLost
        if spec.kind == "request" and row.result is None:
            self._has_asked = True
            self._open_requests[key] = spec.name
        return row

    def _intent(self, spec: StepSpec[Any], key: bytes) -> StepIntent:
        started = self._attempt.started
        intent = StepIntent(
            lane=started.lane,
            token=started.token,
            pos=started.pos or 0,
            turn=started.identity,
            key=key,
            kind=spec.kind,
            name=spec.name,
        )
        if not isinstance(spec, WaitSpec):
            return intent
        return replace(
            intent,
            due_seconds=spec.due_seconds,
            due_ms=spec.due_ms,
            callee=spec.callee,
            note=spec.note,
            outbox=tuple(spec.outbox(key.hex())) if spec.outbox is not None else (),
        )

    async def close(
        self, key: bytes, blob: bytes, *, spend: Sequence[Spend] = (), waited: bool = False, held: bool = False
    ) -> bytes:
        """Store a result where none is stored and return the one that is; `held`: only while the lane is ours.

        Raises:
            TurnLost: `held`, and another process holds the lane.
        """
        started = self._attempt.started
        row = await self._writer.close_step(
            StepResult(
                turn=started.identity,
                key=key,
                result=blob,
                lane=started.lane if waited else None,
                token=started.token if held else None,
                spend=tuple(spend),
            )
        )
        if row.result is None:
            if held:
                raise TurnLost
            return blob
        self.settled(key)
        return row.result

    def settled(self, key: bytes) -> None:
        """Note that a request has its answer stored."""
        self._open_requests.pop(key, None)

    def read(self, blob: bytes) -> StepRecord:
        """Read a stored result; the turn's time moves on to it."""
        record = read_record(blob)
        self.last_ms = max(self.last_ms, record.at_ms)
        return record

    def replay(self, spec: StepSpec[T], blob: bytes) -> T:
        """Return a recorded result, or raise the recorded failure."""
        record = self.read(blob)
        if record.failed:
            raise record.error()
        return spec.decode(record.payload)

    def withdraw(self, key: bytes, recipient: str) -> None:
        """Note a request that the turn itself has broken off: its callee is to be told at the commit."""
        self._has_asked = True
        self._open_requests[key] = recipient

    # ── what is left at the end ────────────────────────────────────────────────────────────────────────────

    def unused(self, spec: StepSpec[Any]) -> list[StepRow]:
        """Return what earlier attempts have recorded or left open of a kind and name and this one did not ask for."""
        return [
            row
            for row in self.recorded.values()
            if row.kind == spec.kind and row.name == spec.name and row.key not in self._used and not _has_failed(row)
        ]

    def count_diverged(self) -> None:
        """Count the recorded results that this attempt, which commits, did not ask for."""
        for row in self.recorded.values():
            if row.kind in PAID and row.result is not None and row.key not in self._used:
                self.count(row.kind).diverged += 1

    def open_requests(self) -> Mapping[bytes, str]:
        """Return the requests nobody waits for any more once this turn has ended: recipients by step key."""
        left = {row.key: row.name for row in self.recorded.values() if row.kind == "request" and row.result is None}
        unused = {key: name for key, name in left.items() if key not in self._used}
        return {**unused, **self._open_requests}


def _has_failed(row: StepRow) -> bool:
    return row.result is not None and read_record(row.result).failed
