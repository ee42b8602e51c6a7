"""Lanes: stored deliveries, who runs them, and the one transaction that finishes a turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from agentopic.core._immutable import immutable
from agentopic.ports.journal.outbox import OutboxRow, StoredRow
from agentopic.ports.transport import TopicPartition

Outcome = Literal["done", "dead", "expired", "cancelled"]


class ReplyAddress(NamedTuple):
    """Where an answer goes: an explicit partition of a replies topic."""

    topic: str
    partition: int


@immutable
class Incoming:
    """One delivery to store: one envelope for one agent."""

    lane: bytes
    """16-byte digest of (group, key)."""
    group: str
    key: str
    identity: bytes
    """16-byte digest of (AgentId, source, id, redrive number): unique among deliveries for the dedup horizon."""
    head: bytes
    body: bytes | None
    partition: TopicPartition
    """The partition its record came from: when that mark has moved on, the delivery is dropped unread."""
    request_id: str | None = None
    reply_to: ReplyAddress | None = None
    deadline_ms: int | None = None
    """When a start comes too late, in ms since the epoch; judged at start, by the journal's clock."""
    caller: bytes | None = None
    """Lane of the agent whose turn waits for the answer of this request: where a cycle would close."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkAdvance:
    """A watermark to advance, only from the value this process knows (None: never read before)."""

    partition: TopicPartition
    known: int | None
    next: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeBatch:
    """What was read of one group's partitions, in order."""

    group: str
    marks: Sequence[MarkAdvance]
    deliveries: Sequence[Incoming]
    dead: Sequence[tuple[TopicPartition, OutboxRow]] = ()
    """Dead letters of records that are no valid events, each with the partition it came from."""
    free: int = 0
    """How many lanes may be taken at once: the process's free slots."""


@immutable
class Started:
    """A lane this process holds, with its head when one is to be run. Its attempt is already counted."""

    lane: bytes
    group: str
    key: str
    token: int
    pos: int | None
    """Position of the head in its lane; None when the lane was taken only to send its unsent rows."""
    identity: bytes = b""
    head: bytes = b""
    body: bytes | None = None
    attempts: int = 1
    failures: int = 0
    crashes: int = 0
    version: int = 0
    """Version of the agent's state; 0: none stored."""
    unsent: Sequence[StoredRow] = ()
    """Rows of this lane that an earlier holder left; to be sent before any new one."""
    expired: bool = False
    """Whether the head's deadline has passed by the journal's clock."""
    cancelled: bool = False
    """Whether the head was cancelled before it was started, or while an earlier attempt ran."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intaken:
    """What an intake did."""

    stale: AbstractSet[TopicPartition]
    """Partitions whose mark was not at the known value, or is leased by another: nothing of them was stored."""
    started: Sequence[Started]
    rows: Sequence[StoredRow]
    """Process-owned rows to send: dead letters, stored answers of repeated requests."""
    repeats: int
    cycles: AbstractSet[bytes] = frozenset()
    """Identities of requests whose caller is waited for, directly or through others, by the very agent they ask.

    Each has lost its edge in the transaction that found it, so that of two requests which close one cycle together
    exactly one is named; the caller answers it with `refuse`.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The stored end of a request and the record that carries it; a row is written per asking address."""

    request_id: str
    outcome: Outcome
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    keep_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChange:
    """The agent's next state: a snapshot, events, or events with the snapshot they lead to.

    Stored as version `expected + 1`, or `expected + len(events)` when there are events, which then have the versions
    from `expected + 1` on. A snapshot makes the events up to its version superfluous.
    """

    expected: int
    snapshot: bytes | None = None
    events: tuple[bytes, ...] = ()

    @property
    def version(self) -> int:
        """The version this change leads to."""
        return self.expected + max(1, len(self.events))


@immutable
class TurnDone:
    """A turn to finish."""

    lane: bytes
    token: int
    pos: int
    identity: bytes
    outcome: Outcome = "done"
    state: StateChange | None = None
    outbox: Sequence[OutboxRow] = ()
    answer: Answer | None = None
    hand_back: bool = False
    """Give the lane up instead of returning its next head, as soon as its rows are sent."""
    asked: bool = False
    """Whether the turn opened requests: what is left of its edges (journal.md rule 11) goes with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnDeferred:
    """A turn to try again: the lane is given up until `delay_seconds` have passed by the journal's clock."""

    lane: bytes
    token: int
    pos: int
    delay_seconds: float
    failed: bool
    """Whether this counts as a failure of the handler; a drain or a lost race does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnParked:
    """A waiting turn that was unwound: its lane is given up until what it waits for is there.

    Ready after `delay_seconds` by the journal's clock (None: never by itself), at once when one of `awaits` has its
    result already or the delivery was cancelled, and as soon as a result with this lane is stored, which may be while
    the lane is still held for its unsent rows. Neither a failure nor a crash.
    """

    lane: bytes
    token: int
    pos: int
    turn: bytes
    """Identity of the delivery."""
    awaits: tuple[bytes, ...]
    """Keys of the steps it waits for."""
    delay_seconds: float | None


Finish = TurnDone | TurnDeferred | TurnParked
"""How an attempt ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A stored delivery to finish without running it."""

    lane: bytes
    identity: bytes
    outcome: Outcome
    answer: Answer | None = None
    outbox: Sequence[OutboxRow] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """What a commit did."""

    lost: AbstractSet[bytes]
    """Lanes whose (owner, token, running delivery) no longer matched; nothing of their turns was stored."""
    started: Sequence[Started]
    """The next heads of lanes that go on."""
    rows: Sequence[StoredRow]
    """The rows stored by this call, in order, replies included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """Everything the journal says this process holds; read after a call whose outcome is unknown."""

    lanes: Sequence[Started]
    rows: Sequence[StoredRow]
    """Process-owned rows not yet sent."""
    beat: int = 0
    """This process's beat as stored: lower than one it has seen confirmed, the journal has lost its last moments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Unfinished work of one group."""

    deliveries: int
    unsent: int
    unstarted: int = 0
    """Those of the deliveries that no attempt was ever made on: neither running nor suspended, parked or put off."""


class Lanes(Protocol):
    """Storing, taking and finishing deliveries (journal.md sections 2 and 3).

    Every call is one transaction. Each raises `ProcessBuriedError` when this process is dead, `ValueRefusedError`
    when the database refuses a value (nothing is stored), `JournalUnavailableError` when the outcome is unknown.
    """

    async def lease(
        self, me: int, group: str, partitions: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, int | None]:
        """Hold this process's fair share of the partitions and return it with the watermarks (None: never read).

        At most ceil(partitions / living processes of the group). Held ones are kept, free ones taken, a surplus
        is given back. `partitions` is all there are.
        """
        ...

    async def intake(self, me: int, batch: IntakeBatch) -> Intaken:
        """Store a batch and start free lanes into free slots (journal.md section 3, `intake`)."""
        ...

    async def take(self, me: int, free: Mapping[str, int]) -> Sequence[Started]:
        """Take up to `free[group]` unowned, ready lanes of each group, longest ready first; counts the attempts."""
        ...

    async def commit(self, me: int, turns: Sequence[Finish], sent: Sequence[StoredRow] = ()) -> Committed:
        """Finish turns and drop acknowledged rows; a lost lane never fails its neighbours.

        A lane goes on with its next delivery unless handed back, deferred, parked or paused. A lane without running
        turn and without unsent rows is given up: deleted when it has no deliveries, else free at its `ready_at`.
        A `StateChange` whose version does not match makes its lane lost.
        """
        ...

    async def refuse(self, me: int, refusals: Sequence[Refusal]) -> Sequence[StoredRow]:
        """Finish stored deliveries that are not running, and return their rows to send, replies first.

        One that is running, finished or unknown is passed over. All rows belong to this process, as their lanes may
        have no holder or another.
        """
        ...

    async def held(self, me: int) -> Holdings:
        """Return what this process holds; attempts are not counted again."""
        ...

    async def backlog(self, groups: Sequence[str]) -> Mapping[str, Backlog]:
        """Count unfinished deliveries and unsent rows of lanes, per group; process-owned rows are under ''.

        The backlog of people and autoscalers counts `deliveries`; the limit of stored work counts `unstarted`.
        """
        ...
