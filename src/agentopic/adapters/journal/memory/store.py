"""The tables of the memory journal; every call holds the store's lock from beginning to end."""

from __future__ import annotations

import itertools
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from agentopic.errors import ProcessBuriedError
from agentopic.ports.journal import AgentState, Answer, OutboxRow, ReplyAddress, Started, StepRow, StoredRow
from agentopic.ports.transport import TopicPartition


@dataclass(slots=True, kw_only=True)
class ProcessEntry:
    """One process: alive, left with rows still to be adopted, or dead."""

    id: int
    groups: tuple[str, ...]
    address: str
    beat: int = 0
    left: bool = False
    ended_at: float | None = None


@dataclass(slots=True, kw_only=True)
class MarkEntry:
    """How far a partition is stored, and who reads it."""

    next: int | None = None
    owner: int | None = None


@dataclass(slots=True, kw_only=True)
class DeliveryEntry:
    """One unfinished delivery."""

    pos: int
    identity: bytes
    head: bytes
    body: bytes | None
    request_id: str | None
    addresses: list[ReplyAddress]
    attempts: int = 0
    failures: int = 0
    crashes: int = 0


@dataclass(slots=True, kw_only=True)
class LaneEntry:
    """One live lane with its queue and its unsent rows, both in order of their numbers."""

    id: bytes
    group: str
    key: str
    ready_at: float
    owner: int | None = None
    token: int = 0
    running: int | None = None
    deliveries: dict[int, DeliveryEntry] = field(default_factory=dict[int, DeliveryEntry])
    unsent: dict[int, StoredRow] = field(default_factory=dict[int, StoredRow])


@dataclass(slots=True, kw_only=True)
class StepEntry:
    """One step of a turn."""

    row: StepRow
    opened_at: float


class MemoryStore:
    """What several `MemoryJournal`s share, as several processes share a database.

    Args:
        now: the journal's clock, in seconds; it decides when lanes are ready and what a sweep forgets.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.now = now
        self.lock = threading.Lock()
        self.processes: dict[int, ProcessEntry] = {}
        self.marks: dict[tuple[str, TopicPartition], MarkEntry] = {}
        self.lanes: dict[bytes, LaneEntry] = {}
        self.free: defaultdict[str, dict[bytes, LaneEntry]] = defaultdict(dict)
        """Lanes without owner, by group."""
        self.states: dict[bytes, AgentState] = {}
        self.seen: dict[bytes, float] = {}
        self.unfinished: dict[bytes, DeliveryEntry] = {}
        """Deliveries by identity."""
        self.answers: dict[str, tuple[Answer, float]] = {}
        self.steps: dict[bytes, dict[bytes, StepEntry]] = {}
        self.process_rows: dict[int, tuple[int, StoredRow]] = {}
        """Rows without lane: their owner and the row, by id."""
        self.ids: Iterator[int] = itertools.count(1)
        self.positions: Iterator[int] = itertools.count(1)
        self.tokens: Iterator[int] = itertools.count(1)
        self.rows: Iterator[int] = itertools.count(1)

    def alive(self, me: int) -> ProcessEntry:
        """Return the process's own row; every call begins here.

        Raises:
            ProcessBuriedError: the process has left or been declared dead.
        """
        process = self.processes.get(me)
        if process is None or process.left or process.ended_at is not None:
            raise ProcessBuriedError(f"process {me} has been declared dead")
        return process

    def add_process_row(self, owner: int, row: OutboxRow) -> StoredRow:
        """Store a row that belongs to a process and has no order."""
        stored = StoredRow(next(self.rows), None, row)
        self.process_rows[stored.id] = (owner, stored)
        return stored

    def add_lane_row(self, lane: LaneEntry, row: OutboxRow) -> StoredRow:
        """Store a row behind the lane's earlier ones."""
        stored = StoredRow(next(self.rows), lane.id, row)
        lane.unsent[stored.id] = stored
        return stored

    def take_lane(self, me: int, lane: LaneEntry) -> Started:
        """Give a free lane to a process under a new token and start its head."""
        del self.free[lane.group][lane.id]
        lane.owner = me
        lane.token = next(self.tokens)
        return self.start_head(lane, unsent=tuple(lane.unsent.values()))

    def start_head(self, lane: LaneEntry, unsent: tuple[StoredRow, ...] = ()) -> Started:
        """Run the lane's first delivery, if it has one, and count the attempt."""
        lane.running = next(iter(lane.deliveries), None)
        if lane.running is not None:
            lane.deliveries[lane.running].attempts += 1
        return self.started(lane, unsent)

    def started(self, lane: LaneEntry, unsent: tuple[StoredRow, ...]) -> Started:
        """Show a lane as its holder sees it."""
        state = self.states.get(lane.id)
        version = 0 if state is None else state.version
        if lane.running is None:
            return Started(
                lane=lane.id,
                group=lane.group,
                key=lane.key,
                token=lane.token,
                pos=None,
                version=version,
                unsent=unsent,
            )
        head = lane.deliveries[lane.running]
        return Started(
            lane=lane.id,
            group=lane.group,
            key=lane.key,
            token=lane.token,
            pos=head.pos,
            identity=head.identity,
            head=head.head,
            body=head.body,
            attempts=head.attempts,
            failures=head.failures,
            crashes=head.crashes,
            version=version,
            unsent=unsent,
        )

    def free_lane(self, lane: LaneEntry) -> None:
        """Give a lane up: gone when it has no work, else free for whoever has a slot at its `ready_at`."""
        lane.owner = None
        lane.running = None
        if lane.deliveries or lane.unsent:
            self.free[lane.group][lane.id] = lane
        else:
            self.free[lane.group].pop(lane.id, None)
            del self.lanes[lane.id]
