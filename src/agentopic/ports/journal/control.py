"""Control: cancel, pause, resume and answers, applied by whoever stores them (journal.md rule 10)."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Protocol

from agentopic.ports.journal.lanes import Answer, MarkAdvance, ReplyAddress
from agentopic.ports.journal.outbox import OutboxRow, StoredRow
from agentopic.ports.transport import TopicPartition


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Something to apply to one lane, which need not exist."""

    partition: TopicPartition
    """The partition its record came from: when that mark has moved on, it is dropped unread."""
    lane: bytes
    group: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerQuestion(Command):
    """The result of a step of kind `human`; the first answer wins, one without such an open step does nothing."""

    turn: bytes
    step: bytes
    result: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequest(Command):
    """The end of one request.

    Begun (running, suspended, parked, put off): its delivery is marked and its holder noticed; nobody running it, its
    lane becomes ready. Stored and not begun: finished with `answer`, wherever it stands in its lane. Not seen yet:
    `answer` is stored and its identity noted, so that it is answered when it comes. Finished: nothing. In the first
    three cases `reply_to` is answered too, like an address that asked. `outbox` is stored with the answer that this
    command stores: in the second and third case, not in the others.
    """

    identity: bytes
    request_id: str
    answer: Answer
    reply_to: ReplyAddress | None = None
    outbox: tuple[OutboxRow, ...] = ()
    """Rows of the process that go with the answer, behind its replies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRun(Command):
    """The end of everything one root event has caused; noted under its run id and told to every process."""

    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseLane(Command):
    """Start nothing more in a lane, or (`paused` False) go on. What runs ends; a paused lane is never deleted.

    Without a holder it is still taken to send rows that an earlier one left, with no head.
    """

    paused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlBatch:
    """What was read of one group's control partitions, in order; `group` is the name its marks are kept under."""

    group: str
    marks: Sequence[MarkAdvance]
    commands: Sequence[AnswerQuestion | CancelRequest | CancelRun | PauseLane]
    dead: Sequence[tuple[TopicPartition, OutboxRow]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Somebody who has mail: its address is woken, best effort; the mail waits for its next look."""

    process: int
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Controlled:
    """What a control batch did."""

    stale: AbstractSet[TopicPartition]
    rows: Sequence[StoredRow]
    """Process-owned rows to send: answers of cancelled requests and what goes with them, dead letters."""
    notices: Sequence[Notice]
    """Holders with new mail, this process among them when it is one; after a cancelled run every living process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A lane of this process that something has happened to."""

    lane: bytes
    token: int
    cancelled: bool
    """Whether its running delivery is cancelled."""
    paused: bool


class Control(Protocol):
    """Applying control and telling holders. Errors as for `Lanes`."""

    async def control(self, me: int, batch: ControlBatch) -> Controlled:
        """Advance the marks and apply the commands in order, in one transaction, mail to holders included.

        An answer without a holder makes its lane ready; a resume without a holder too. An answer for the turn that a
        lane runs says that it goes on (`Membership.bury`).
        """
        ...

    async def mail(self, me: int) -> Sequence[Letter]:
        """Take this process's mail: lanes it holds that were answered, cancelled, paused or resumed."""
        ...

    async def cancelled_runs(self) -> AbstractSet[str]:
        """Return the runs cancelled within the last day."""
        ...
