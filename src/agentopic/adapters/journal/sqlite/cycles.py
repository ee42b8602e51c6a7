"""Who waits for whom in the SQLite journal (journal.md rule 11)."""

from __future__ import annotations

from agentopic.adapters.journal.sqlite.transaction import Transaction

REACH = 64
"""How many lanes a walk visits at most."""

_BEHIND = """
    SELECT 1 FROM j_delivery JOIN j_lane ON j_lane.id = j_delivery.lane
    WHERE j_delivery.identity = ? AND j_lane.attempts > 0
    AND EXISTS (SELECT 1 FROM j_delivery AS earlier WHERE earlier.lane = j_lane.id AND earlier.pos < j_delivery.pos)
"""


def add_edge(tx: Transaction, caller: bytes, callee: bytes, step: bytes) -> None:
    """Note that a turn of one lane waits for the other."""
    tx.execute("INSERT OR IGNORE INTO j_wait VALUES (?, ?, ?)", caller, callee, step)


def cut_edge(tx: Transaction, caller: bytes, step: bytes) -> None:
    """Drop what one step waited for."""
    tx.execute("DELETE FROM j_wait WHERE caller = ? AND step = ?", caller, step)


def closes_cycle(tx: Transaction, identity: bytes, lane: bytes, caller: bytes) -> bool:
    """Whether a stored request waits behind a turn that waits for its caller; if so its edge is cut."""
    if tx.row(_BEHIND, identity) is None or not _reaches(tx, lane, caller):
        return False
    tx.execute("DELETE FROM j_wait WHERE caller = ? AND callee = ?", caller, lane)
    return True


def _reaches(tx: Transaction, start: bytes, goal: bytes) -> bool:
    met = [start]
    for lane in met:
        if lane == goal:
            return True
        callees = tx.rows("SELECT DISTINCT callee FROM j_wait WHERE caller = ?", lane)
        met.extend(callee for (callee,) in callees if callee not in met)
        del met[REACH:]
    return False
