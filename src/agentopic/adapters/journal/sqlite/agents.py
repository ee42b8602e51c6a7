"""Agent states of the SQLite journal."""

from __future__ import annotations

from collections.abc import Sequence

from agentopic.adapters.journal.sqlite.lanes import Lane
from agentopic.adapters.journal.sqlite.transaction import Transaction
from agentopic.ports.journal import AgentState, StateChange

_SNAPSHOT = 'INSERT OR REPLACE INTO j_agent (lane, version, "group", snapshot_version, snapshot) VALUES (?, ?, ?, ?, ?)'
_EVENTS = """
    INSERT INTO j_agent (lane, version, "group", snapshot_version) VALUES (?, ?, ?, 0)
    ON CONFLICT (lane) DO UPDATE SET version = excluded.version, "group" = excluded."group"
"""


def store_states(tx: Transaction, changes: Sequence[tuple[Lane, StateChange]]) -> None:
    """Store the next states; a snapshot drops the events it has folded."""
    folded = [
        (lane.id, change.version, lane.group, change.version, change.snapshot)
        for lane, change in changes
        if change.snapshot is not None
    ]
    growing = [(lane, change) for lane, change in changes if change.snapshot is None]
    tx.execute_many("DELETE FROM j_event WHERE lane = ?", [(row[0],) for row in folded])
    tx.execute_many(_SNAPSHOT, folded)
    tx.execute_many(_EVENTS, [(lane.id, change.version, lane.group) for lane, change in growing])
    tx.execute_many(
        "INSERT INTO j_event VALUES (?, ?, ?)",
        [
            (lane.id, version, value)
            for lane, change in growing
            for version, value in enumerate(change.events, change.expected + 1)
        ],
    )


def load(tx: Transaction, lane: bytes) -> AgentState | None:
    """Return the state of the agent whose lane this is."""
    row = tx.row("SELECT version, snapshot FROM j_agent WHERE lane = ?", lane)
    if row is None:
        return None
    events = tx.rows("SELECT value FROM j_event WHERE lane = ? ORDER BY version", lane)
    return AgentState(version=row[0], snapshot=row[1], events=tuple(value for (value,) in events))
