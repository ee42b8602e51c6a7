"""The rows of the memory journal."""

from __future__ import annotations

from dataclasses import dataclass, field

from agentopic.ports.journal import Outcome, ReplyAddress, Spend, StepRow, StoredRow


@dataclass(slots=True, kw_only=True)
class ProcessEntry:
    """One process: alive, left with rows still to be adopted, or dead."""

    id: int
    groups: tuple[str, ...]
    address: str
    beat: int = 0
    left: bool = False
    ended_at: float | None = None
    mail: dict[bytes, None] = field(default_factory=dict[bytes, None])
    """Lanes that something has happened to."""

    @property
    def is_living(self) -> bool:
        """Whether it has neither left nor been buried."""
        return not self.left and self.ended_at is None


@dataclass(slots=True, kw_only=True)
class MarkEntry:
    """How far a partition is stored, and who reads it."""

    next: int | None = None
    owner: int | None = None


@dataclass(slots=True, kw_only=True)
class DeliveryEntry:
    """One unfinished delivery."""

    pos: int
    lane: bytes
    identity: bytes
    head: bytes
    body: bytes | None
    request_id: str | None
    addresses: list[ReplyAddress]
    deadline_ms: int | None
    caller: bytes | None
    attempts: int = 0
    failures: int = 0
    crashes: int = 0
    cancelled: bool = False


@dataclass(slots=True, kw_only=True)
class LaneEntry:
    """One live lane with its queue and its unsent rows, both in order of their numbers."""

    id: bytes
    group: str
    key: str
    ready_at: float
    """When it may be taken, infinity: not by itself. While it is held: when it may be taken again."""
    owner: int | None = None
    token: int = 0
    running: int | None = None
    paused: bool = False
    moved: bool = False
    """Whether its turn has gone on since it last announced what it waits for."""
    deliveries: dict[int, DeliveryEntry] = field(default_factory=dict[int, DeliveryEntry])
    unsent: dict[int, StoredRow] = field(default_factory=dict[int, StoredRow])
    carried: tuple[int, int, int] | None = None
    """Attempts, failures and crashes of a head that is still to be restored."""

    @property
    def is_idle(self) -> bool:
        """Whether nothing is left to keep it for."""
        return not (self.deliveries or self.unsent or self.paused)

    def head(self) -> DeliveryEntry | None:
        """Return the first delivery."""
        return next(iter(self.deliveries.values()), None)


@dataclass(slots=True, kw_only=True)
class AgentEntry:
    """What an agent has become: a snapshot and the events after it."""

    group: str
    version: int = 0
    snapshot: bytes | None = None
    snapshot_version: int = 0
    events: dict[int, bytes] = field(default_factory=dict[int, bytes])
    """By version, those after the snapshot."""


@dataclass(slots=True, kw_only=True)
class StepEntry:
    """One step of a turn."""

    row: StepRow
    lane: bytes
    note: bytes | None
    opened_at: float
    opened_ms: int


@dataclass(slots=True, kw_only=True)
class RequestEntry:
    """One request of a caller outside a turn."""

    target: str
    opened_at: float
    due_at: float | None
    outcome: Outcome | None = None
    value: bytes | None = None
    keep_until: float | None = None


@dataclass(slots=True, kw_only=True)
class SpendEntry:
    """The counts of one scope and when they last rose."""

    spend: Spend
    at: float
