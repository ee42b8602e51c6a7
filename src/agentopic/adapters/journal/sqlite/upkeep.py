"""Counting, reading back and forgetting in the SQLite journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agentopic.adapters.journal.sqlite.lanes import Lane, show_lane
from agentopic.adapters.journal.sqlite.outbox import lane_rows, process_rows
from agentopic.adapters.journal.sqlite.transaction import Transaction
from agentopic.ports.journal import AgentState, Backlog, Holdings

PORTION = 1000

_DELIVERIES = """
    SELECT count(*) FROM j_lane JOIN j_delivery ON j_delivery.lane = j_lane.id WHERE j_lane."group" = ?
"""
_UNSENT = 'SELECT count(*) FROM j_lane JOIN j_outbox ON j_outbox.lane = j_lane.id WHERE j_lane."group" = ?'


def held(tx: Transaction, me: int) -> Holdings:
    """Return what the file says this process holds."""
    tx.check_alive(me)
    rows = tx.rows('SELECT id, "group", key, owner, token, running, ready_at FROM j_lane WHERE owner = ?', me)
    lanes = [show_lane(tx, Lane(*row), lane_rows(tx, row[0])) for row in rows]
    return Holdings(lanes=lanes, rows=process_rows(tx, me))


def load(tx: Transaction, lane: bytes) -> AgentState | None:
    """Return the state of the agent whose lane this is."""
    row = tx.row("SELECT version, snapshot FROM j_agent WHERE lane = ?", lane)
    return None if row is None else AgentState(version=row[0], snapshot=row[1])


def backlog(tx: Transaction, groups: Sequence[str]) -> Mapping[str, Backlog]:
    """Count unfinished work per group; rows of processes are under ''."""
    (of_processes,) = tx.row("SELECT count(*) FROM j_outbox WHERE owner IS NOT NULL")
    counts = {"": Backlog(deliveries=0, unsent=of_processes)}
    for group in groups:
        deliveries, unsent = (tx.row(count, group)[0] for count in (_DELIVERIES, _UNSENT))
        counts[group] = Backlog(deliveries=deliveries, unsent=unsent)
    return counts


def sweep_seen(tx: Transaction, horizon: float, after: int) -> int | None:
    """Forget a portion of old identities, oldest first; return where to go on, None at the end.

    The identity of an unfinished delivery is kept however old it is.
    """
    rows = tx.rows(
        "SELECT rowid, seen_at <= ? FROM j_seen WHERE rowid > ? ORDER BY rowid LIMIT ?",
        horizon,
        after,
        PORTION,
    )
    old = [rowid for rowid, is_old in rows if is_old]
    tx.execute_many(
        "DELETE FROM j_seen WHERE rowid = ? "
        "AND NOT EXISTS (SELECT 1 FROM j_delivery WHERE j_delivery.identity = j_seen.identity)",
        [(rowid,) for rowid in old],
    )
    return old[-1] if len(old) == PORTION else None


def sweep_rest(tx: Transaction, horizon: float) -> bool:
    """Forget a portion of old answers, kept steps and dead processes; return whether there may be more."""
    answers = tx.execute(
        "DELETE FROM j_answer WHERE rowid IN (SELECT rowid FROM j_answer WHERE keep_until <= ? LIMIT ?)",
        tx.now,
        PORTION,
    )
    steps = tx.execute(
        "DELETE FROM j_step WHERE seq IN (SELECT seq FROM j_step WHERE opened_at <= ? "
        "AND NOT EXISTS (SELECT 1 FROM j_delivery WHERE j_delivery.identity = j_step.turn) LIMIT ?)",
        horizon,
        PORTION,
    )
    tx.execute("DELETE FROM j_process WHERE ended_at <= ?", horizon)
    return max(answers, steps) == PORTION
