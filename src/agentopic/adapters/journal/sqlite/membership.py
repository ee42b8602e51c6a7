"""Processes of the SQLite journal: entering, beating, burying, leaving."""

from __future__ import annotations

import json
from collections.abc import Sequence

from agentopic.adapters.journal.sqlite.database import Database
from agentopic.adapters.journal.sqlite.ends import drop_idle
from agentopic.adapters.journal.sqlite.lanes import Lane, lanes_of, store_lanes
from agentopic.adapters.journal.sqlite.outbox import process_rows
from agentopic.adapters.journal.sqlite.presence import Presence
from agentopic.adapters.journal.sqlite.transaction import Transaction
from agentopic.adapters.journal.waiting import WAITING_KINDS
from agentopic.errors import ProcessBuriedError
from agentopic.ports.journal import Peer, StoredRow

_OPEN_STEPS = """
    SELECT kind FROM j_step JOIN j_delivery ON j_delivery.identity = j_step.turn
    WHERE j_delivery.pos = ? AND result IS NULL
"""


def join(tx: Transaction, presence: Presence, groups: Sequence[str], address: str) -> int:
    """Enter a new process and lock its file before anyone can see the entry."""
    (me,) = tx.row(
        "INSERT INTO j_process (groups, address) VALUES (?, ?) RETURNING id",
        json.dumps(list(groups)),
        address,
    )
    presence.hold(me)
    return me


class SqliteHeart:
    """The beat of one process, over a connection of its own."""

    def __init__(self, database: Database, me: int) -> None:
        self._database = database
        self._me = me

    async def beat(self) -> int:
        """Raise the beat and return it."""
        return await self._database.write(self._raise)

    def _raise(self, tx: Transaction) -> int:
        raised = tx.row(
            "UPDATE j_process SET beat = beat + 1 WHERE id = ? AND ended_at IS NULL AND NOT has_left RETURNING beat",
            self._me,
        )
        if raised is None:
            raise ProcessBuriedError(f"process {self._me} has been declared dead")
        return raised[0]


def peers(tx: Transaction, presence: Presence, me: int) -> Sequence[Peer]:
    """Return the others that still have to be buried or watched."""
    tx.check_alive(me)
    entries = tx.rows(
        "SELECT id, groups, beat, has_left FROM j_process WHERE ended_at IS NULL AND id <> ? ORDER BY id", me
    )
    return [
        Peer(id=peer, groups=tuple(json.loads(groups)), beat=beat, gone=bool(left) or presence.is_gone(peer))
        for peer, groups, beat, left in entries
    ]


def bury(tx: Transaction, me: int, peer: Peer) -> Sequence[StoredRow] | None:
    """Declare a peer dead and return its rows, now the caller's; None when it lives or is dead already."""
    tx.check_alive(me)
    buried = tx.execute(
        "UPDATE j_process SET ended_at = ? WHERE id = ? AND beat = ? AND ended_at IS NULL",
        tx.now,
        peer.id,
        peer.beat,
    )
    if not buried:
        return None
    # One that has left holds no lane any more, so nothing of it can have been running.
    _free_holdings(tx, peer.id, crashed=True)
    adopted = process_rows(tx, peer.id)
    tx.execute("UPDATE j_outbox SET owner = ? WHERE owner = ?", me, peer.id)
    return adopted


def leave(tx: Transaction, me: int) -> None:
    """End cleanly; a process with unsent rows of its own stays visible, as gone, until a peer adopts them."""
    tx.check_alive(me)
    _free_holdings(tx, me, crashed=False)
    ended = None if process_rows(tx, me) else tx.now
    tx.execute("UPDATE j_process SET has_left = 1, ended_at = ? WHERE id = ?", ended, me)


def _free_holdings(tx: Transaction, holder: int, *, crashed: bool) -> None:
    """Free what a process holds, ready at once: whether a turn only waited, nobody but its process knew."""
    lanes = lanes_of(tx, holder)
    for lane in lanes:
        lane.crashes += crashed and lane.running is not None and not _is_suspended(tx, lane)
        lane.ready_at = tx.now
        lane.owner = lane.running = None
    store_lanes(tx, lanes)
    for lane in lanes:
        drop_idle(tx, lane.id)
    tx.execute("DELETE FROM j_mail WHERE process = ?", holder)
    tx.execute("UPDATE j_mark SET owner = NULL WHERE owner = ?", holder)


def _is_suspended(tx: Transaction, lane: Lane) -> bool:
    """Whether all that is open in the running turn are waits, so that it has no part in a crash."""
    if lane.moved:
        return False
    kinds = [kind for (kind,) in tx.rows(_OPEN_STEPS, lane.running)]
    return bool(kinds) and all(kind in WAITING_KINDS for kind in kinds)
