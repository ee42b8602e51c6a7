"""Lanes of the SQLite journal: read together, changed as objects, written together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from agentopic.adapters.journal.sqlite.outbox import lane_rows
from agentopic.adapters.journal.sqlite.transaction import Transaction
from agentopic.ports.journal import Started, StoredRow

NEVER = float("inf")

_SELECT = """
    SELECT id, "group", key, owner, token, running, ready_at, paused, moved, attempts, failures, crashes,
        (SELECT min(pos) FROM j_delivery WHERE lane = j_lane.id AND pos > ifnull(running, 0)),
        EXISTS (SELECT 1 FROM j_outbox WHERE lane = j_lane.id)
    FROM j_lane
"""
_BY_ID = _SELECT + "WHERE id IN ({})"
_BY_OWNER = _SELECT + "WHERE owner = ?"
_UNSENT = "EXISTS (SELECT 1 FROM j_outbox WHERE lane = j_lane.id)"
_READY = " ".join(
    (
        _SELECT,
        'WHERE owner IS NULL AND "group" = ? AND ready_at <= ? AND (NOT paused OR',
        _UNSENT,
        ") ORDER BY ready_at, id LIMIT ?",
    )
)
_DRAINED = " ".join((_SELECT, "WHERE id IN ({}) AND running IS NULL AND NOT", _UNSENT))
_INSERT = """
    INSERT INTO j_lane (owner, token, running, ready_at, paused, moved, attempts, failures, crashes, id, "group", key)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_UPDATE = """
    UPDATE j_lane SET owner = ?, token = ?, running = ?, ready_at = ?, paused = ?, moved = ?, attempts = ?,
        failures = ?, crashes = ?
    WHERE id = ?
"""
_HEADS = "SELECT pos, identity, head, body, deadline_ms, cancelled FROM j_delivery WHERE pos IN ({})"


@dataclass(slots=True)
class Lane:
    """A lane as it lies in its table, and what lies behind it."""

    id: bytes
    group: str
    key: str
    owner: int | None
    token: int
    running: int | None
    ready_at: float
    paused: int
    moved: int
    """Whether its turn has gone on since it last announced what it waits for."""
    attempts: int
    failures: int
    crashes: int
    following: int | None
    """First delivery behind the running one; with none running, the first of all."""
    has_unsent: int
    """Whether rows of it were unsent when it was read."""
    is_new: bool = False
    token_is_new: bool = False
    """Whether it was taken in this transaction, so that its holder does not know its unsent rows."""

    @property
    def is_empty(self) -> bool:
        """Whether there was no delivery in it."""
        return self.running is None and self.following is None

    def start(self) -> None:
        """Run the first delivery, if there is one and it is not paused, and count the attempt."""
        self.running = None if self.paused else self.following
        self.moved = 1
        if self.running is not None:
            self.attempts += 1

    def take(self, me: int, token: int) -> None:
        """Give it to a process and start its first delivery."""
        self.owner, self.token, self.token_is_new = me, token, True
        self.start()

    def end(self) -> None:
        """Forget the attempts of a first delivery that is finished."""
        self.attempts = self.failures = self.crashes = 0

    def rouse(self, now: float) -> None:
        """Make it ready when its turn does not run, at once or as soon as its rows are sent."""
        if self.running is None:
            self.ready_at = min(self.ready_at, now)


class Head(NamedTuple):
    """The delivery that a lane starts with."""

    pos: int
    identity: bytes
    head: bytes
    body: bytes | None
    deadline_ms: int | None
    cancelled: int


def find_lanes(tx: Transaction, lanes: Iterable[bytes]) -> dict[bytes, Lane]:
    """Return those of the lanes that are live."""
    return {row[0]: Lane(*row) for row in tx.rows_of(_BY_ID, list(dict.fromkeys(lanes)))}


def find_lane(tx: Transaction, lane: bytes) -> Lane | None:
    """Return a live lane."""
    return find_lanes(tx, (lane,)).get(lane)


def lanes_of(tx: Transaction, owner: int) -> Sequence[Lane]:
    """Return the lanes that a process holds."""
    return [Lane(*row) for row in tx.rows(_BY_OWNER, owner)]


def new_lane(tx: Transaction, lane: bytes, group: str, key: str) -> Lane:
    """Make a free lane, still to be stored."""
    return Lane(lane, group, key, None, 0, None, tx.now, 0, 0, 0, 0, 0, None, 0, is_new=True)


def store_lanes(tx: Transaction, lanes: Iterable[Lane]) -> None:
    """Write lanes back."""
    fresh: list[tuple[object, ...]] = []
    known: list[tuple[object, ...]] = []
    for lane in lanes:
        state = (lane.owner, lane.token, lane.running, lane.ready_at, lane.paused, lane.moved)
        counts = (lane.attempts, lane.failures, lane.crashes)
        if lane.is_new:
            fresh.append((*state, *counts, lane.id, lane.group, lane.key))
        else:
            known.append((*state, *counts, lane.id))
    tx.execute_many(_INSERT, fresh)
    tx.execute_many(_UPDATE, known)


def take(tx: Transaction, me: int, free: Mapping[str, int]) -> Sequence[Started]:
    """Take the free lanes that have been ready for longest."""
    tx.check_alive(me)
    taken: list[Lane] = []
    empty: list[bytes] = []
    for group, slots in free.items():
        for lane in (Lane(*row) for row in tx.rows(_READY, group, tx.now, max(slots, 0))):
            if lane.is_empty and not lane.has_unsent:
                empty.append(lane.id)
            else:
                lane.take(me, tx.next_number("token"))
                taken.append(lane)
    tx.execute_many("DELETE FROM j_lane WHERE id = ?", [(lane,) for lane in empty])
    store_lanes(tx, taken)
    return show_lanes(tx, taken)


def show_lanes(tx: Transaction, lanes: Sequence[Lane]) -> Sequence[Started]:
    """Show lanes to their holder as they are now, with their unsent rows."""
    heads = find_heads(tx, [lane.running for lane in lanes if lane.running is not None])
    versions = find_versions(tx, [lane.id for lane in lanes])
    return [
        show_lane(tx, lane, _head(lane, heads), versions, lane_rows(tx, lane.id) if lane.has_unsent else ())
        for lane in lanes
    ]


def _head(lane: Lane, heads: Mapping[int, Head]) -> Head | None:
    return None if lane.running is None else heads[lane.running]


def show_lane(
    tx: Transaction, lane: Lane, head: Head | None, versions: Mapping[bytes, int], unsent: Sequence[StoredRow] = ()
) -> Started:
    """Show a lane as its holder sees it."""
    if head is None:
        return Started(
            lane=lane.id,
            group=lane.group,
            key=lane.key,
            token=lane.token,
            pos=None,
            version=versions.get(lane.id, 0),
            unsent=unsent,
        )
    return Started(
        lane=lane.id,
        group=lane.group,
        key=lane.key,
        token=lane.token,
        pos=head.pos,
        identity=head.identity,
        head=head.head,
        body=head.body,
        attempts=lane.attempts,
        failures=lane.failures,
        crashes=lane.crashes,
        version=versions.get(lane.id, 0),
        unsent=unsent,
        expired=head.deadline_ms is not None and head.deadline_ms <= tx.now_ms,
        cancelled=bool(head.cancelled),
    )


def find_heads(tx: Transaction, positions: Sequence[int]) -> dict[int, Head]:
    """Return deliveries by position."""
    return {row[0]: Head(*row) for row in tx.rows_of(_HEADS, positions)}


def find_versions(tx: Transaction, lanes: Sequence[bytes]) -> dict[bytes, int]:
    """Return the versions of the agents' states; nothing for an agent without."""
    return dict(tx.rows_of("SELECT lane, version FROM j_agent WHERE lane IN ({})", lanes))


def release(tx: Transaction, me: int, touched: Iterable[bytes]) -> None:
    """Give up the lanes that have neither a running turn nor an unsent row left."""
    drained = [Lane(*row) for row in tx.rows_of(_DRAINED, list(dict.fromkeys(touched)))]
    mine = [lane for lane in drained if lane.owner in (me, None)]
    drop = [(lane.id,) for lane in mine if lane.is_empty and not lane.paused]
    free = [(lane.id,) for lane in mine if not lane.is_empty or lane.paused]
    tx.execute_many("DELETE FROM j_lane WHERE id = ?", drop)
    tx.execute_many("UPDATE j_lane SET owner = NULL WHERE id = ?", free)
