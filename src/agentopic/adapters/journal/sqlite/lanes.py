"""Lanes of the SQLite journal: taking, starting heads, giving up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from agentopic.adapters.journal.sqlite.outbox import lane_rows
from agentopic.adapters.journal.sqlite.transaction import Transaction
from agentopic.ports.journal import Started, StoredRow


class Lane(NamedTuple):
    """A lane as it lies in its table."""

    id: bytes
    group: str
    key: str
    owner: int | None
    token: int
    running: int | None
    ready_at: float


_FIND = 'SELECT id, "group", key, owner, token, running, ready_at FROM j_lane WHERE id = ?'
_READY = """
    SELECT id, "group", key, owner, token, running, ready_at FROM j_lane
    WHERE owner IS NULL AND "group" = ? AND ready_at <= ? ORDER BY ready_at, id LIMIT ?
"""
_DRAINED = """
    SELECT EXISTS (SELECT 1 FROM j_delivery WHERE lane = j_lane.id) FROM j_lane
    WHERE id = ? AND running IS NULL AND (owner = ? OR owner IS NULL)
    AND NOT EXISTS (SELECT 1 FROM j_outbox WHERE lane = j_lane.id)
"""
_HEAD = "SELECT identity, head, body, attempts, failures, crashes FROM j_delivery WHERE pos = ?"


def find_lane(tx: Transaction, lane: bytes) -> Lane | None:
    """Return a live lane."""
    row = tx.row(_FIND, lane)
    return None if row is None else Lane(*row)


def take(tx: Transaction, me: int, free: Mapping[str, int]) -> Sequence[Started]:
    """Take the free lanes that have been ready for longest."""
    tx.check_alive(me)
    started: list[Started] = []
    for group, slots in free.items():
        ready = tx.rows(_READY, group, tx.now, max(slots, 0))
        started.extend(take_lane(tx, me, Lane(*row)) for row in ready)
    return started


def take_lane(tx: Transaction, me: int, lane: Lane) -> Started:
    """Give a free lane to a process under a new token and start its head, if it has one."""
    head = _count_attempt(tx, lane)
    taken = lane._replace(owner=me, token=tx.next_number("token"), running=head)
    tx.execute("UPDATE j_lane SET owner = ?, token = ?, running = ? WHERE id = ?", me, taken.token, head, lane.id)
    return show_lane(tx, taken, lane_rows(tx, lane.id))


def start_head(tx: Transaction, lane: Lane) -> Started | None:
    """Run the first delivery of a lane that is held already; None when nothing waits there."""
    head = _count_attempt(tx, lane)
    if head is None:
        return None
    tx.execute("UPDATE j_lane SET running = ? WHERE id = ?", head, lane.id)
    return show_lane(tx, lane._replace(running=head), ())


def _count_attempt(tx: Transaction, lane: Lane) -> int | None:
    # Behind the delivery that was running: never the minimum over all, whose deleted entries slow the search.
    head: int | None = tx.row("SELECT min(pos) FROM j_delivery WHERE lane = ? AND pos > ?", lane.id, lane.running or 0)[
        0
    ]
    if head is not None:
        tx.execute("UPDATE j_delivery SET attempts = attempts + 1 WHERE pos = ?", head)
    return head


def show_lane(tx: Transaction, lane: Lane, unsent: Sequence[StoredRow]) -> Started:
    """Show a lane as its holder sees it."""
    version = state_version(tx, lane.id)
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
    identity, head, body, attempts, failures, crashes = tx.row(_HEAD, lane.running)
    return Started(
        lane=lane.id,
        group=lane.group,
        key=lane.key,
        token=lane.token,
        pos=lane.running,
        identity=identity,
        head=head,
        body=body,
        attempts=attempts,
        failures=failures,
        crashes=crashes,
        version=version,
        unsent=unsent,
    )


def state_version(tx: Transaction, lane: bytes) -> int:
    """Return the version of an agent's state; 0 when none is stored."""
    row = tx.row("SELECT version FROM j_agent WHERE lane = ?", lane)
    return 0 if row is None else row[0]


def release(tx: Transaction, me: int, touched: Iterable[bytes]) -> None:
    """Give up the lanes that have neither a running turn nor an unsent row left."""
    for lane in touched:
        drained = tx.row(_DRAINED, lane, me)
        if drained is None:
            continue
        if drained[0]:
            tx.execute("UPDATE j_lane SET owner = NULL WHERE id = ?", lane)
        else:
            tx.execute("DELETE FROM j_lane WHERE id = ?", lane)
