"""The tables of the memory journal; every call holds the store's lock from beginning to end."""

from __future__ import annotations

import heapq
import itertools
import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from copy import deepcopy

from agentopic.adapters.journal.memory.tables import (
    AgentEntry,
    DeliveryEntry,
    LaneEntry,
    MarkEntry,
    ProcessEntry,
    RequestEntry,
    SpendEntry,
    StepEntry,
)
from agentopic.errors import ProcessBuriedError
from agentopic.ports.journal import Answer, OutboxRow, Started, StoredRow
from agentopic.ports.transport import TopicPartition

NEVER = math.inf

_KEPT = ("now", "wall", "lock")


class MemoryStore:
    """What several `MemoryJournal`s share, as several processes share a database.

    Args:
        now: the journal's clock, in seconds; it decides when lanes are ready and what a sweep forgets.
        wall: its calendar, in seconds since 1970, for deadlines and due times.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time) -> None:
        self.now = now
        self.wall = wall
        self.lock = threading.Lock()
        self.processes: dict[int, ProcessEntry] = {}
        self.marks: dict[tuple[str, TopicPartition], MarkEntry] = {}
        self.lanes: dict[bytes, LaneEntry] = {}
        self.ready: defaultdict[str, list[tuple[float, bytes]]] = defaultdict(list)
        """Heaps by group of (ready_at, lane) of free lanes; an entry that is no longer true is passed over."""
        self.agents: dict[bytes, AgentEntry] = {}
        self.seen: dict[bytes, float] = {}
        self.unfinished: dict[bytes, DeliveryEntry] = {}
        """Deliveries by identity."""
        self.answers: dict[str, tuple[Answer, float]] = {}
        self.requests: dict[str, RequestEntry] = {}
        self.steps: dict[bytes, dict[bytes, StepEntry]] = {}
        self.waits: dict[bytes, dict[tuple[bytes, bytes], None]] = {}
        """Edges (callee lane, step key) by caller lane."""
        self.process_rows: dict[int, tuple[int, StoredRow]] = {}
        """Rows without lane: their owner and the row, by id."""
        self.spends: dict[str, SpendEntry] = {}
        self.cancelled_runs: dict[str, float] = {}
        self.ids: Iterator[int] = itertools.count(1)
        self.positions: Iterator[int] = itertools.count(1)
        self.tokens: Iterator[int] = itertools.count(1)
        self.rows: Iterator[int] = itertools.count(1)

    def save(self) -> dict[str, object]:
        """Return a copy of all tables, for `rewind`."""
        with self.lock:
            return self.copy()

    def copy(self) -> dict[str, object]:
        """Return a copy of all tables, in a call that holds the lock."""
        return deepcopy({name: table for name, table in vars(self).items() if name not in _KEPT})

    def rewind(self, saved: dict[str, object]) -> None:
        """Put the tables back to a copy, as a fail-over does that has forgotten the last moments."""
        with self.lock:
            vars(self).update(deepcopy(saved))

    def wall_ms(self, at: float | None = None) -> int:
        """Return the calendar's ms since 1970 now, or at a time of the journal's clock."""
        ahead = 0.0 if at is None else at - self.now()
        return math.floor((self.wall() + ahead) * 1000)

    def from_wall_ms(self, ms: int) -> float:
        """Return the time of the journal's clock at which the calendar shows this."""
        return self.now() + ms / 1000 - self.wall()

    def alive(self, me: int) -> ProcessEntry:
        """Return the process's own row; every call begins here.

        Raises:
            ProcessBuriedError: the process has left or been declared dead.
        """
        process = self.processes.get(me)
        if process is None or not process.is_living:
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

    def add_lane(self, lane: bytes, group: str, key: str) -> LaneEntry:
        """Make a free lane; the caller gives it work."""
        entry = LaneEntry(id=lane, group=group, key=key, ready_at=self.now())
        self.lanes[lane] = entry
        self.set_ready(entry, entry.ready_at)
        return entry

    def set_ready(self, lane: LaneEntry, at: float) -> None:
        """Say when a lane may be taken, now or once it is given up."""
        lane.ready_at = at
        if lane.owner is None and at < NEVER:
            heapq.heappush(self.ready[lane.group], (at, lane.id))

    def rouse(self, lane: LaneEntry) -> None:
        """Make a lane ready whose turn does not run, at once or as soon as its rows are sent."""
        if lane.running is None:
            self.set_ready(lane, min(lane.ready_at, self.now()))

    def go_on(self, lane: LaneEntry, turn: bytes) -> None:
        """Note that something a turn has waited for is there, when it is the one that runs."""
        if lane.running is not None and lane.deliveries[lane.running].identity == turn:
            lane.moved = True

    def take_lane(self, me: int, lane: LaneEntry) -> Started:
        """Give a free lane to a process under a new token and start its head."""
        lane.owner = me
        lane.token = next(self.tokens)
        return self.start_head(lane, unsent=tuple(lane.unsent.values()))

    def start_head(self, lane: LaneEntry, unsent: tuple[StoredRow, ...] = ()) -> Started:
        """Run the lane's first delivery, if it has one and is not paused, and count the attempt."""
        head = None if lane.paused else lane.head()
        lane.running = None if head is None else head.pos
        lane.moved = True
        if head is not None:
            head.attempts += 1
        return self.started(lane, unsent)

    def started(self, lane: LaneEntry, unsent: tuple[StoredRow, ...]) -> Started:
        """Show a lane as its holder sees it."""
        agent = self.agents.get(lane.id)
        version = 0 if agent is None else agent.version
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
            expired=head.deadline_ms is not None and head.deadline_ms <= self.wall_ms(),
            cancelled=head.cancelled,
        )

    def free_lane(self, lane: LaneEntry) -> None:
        """Give a lane up: gone when it has no work, else free for whoever has a slot at its `ready_at`."""
        lane.owner = None
        lane.running = None
        if lane.is_idle:
            del self.lanes[lane.id]
        else:
            self.set_ready(lane, lane.ready_at)
