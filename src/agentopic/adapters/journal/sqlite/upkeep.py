"""Counting, reading back and forgetting in the SQLite journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from agentopic.adapters.journal.sqlite.lanes import lanes_of, show_lanes
from agentopic.adapters.journal.sqlite.outbox import process_rows
from agentopic.adapters.journal.sqlite.transaction import Transaction
from agentopic.adapters.journal.waiting import RUN_SECONDS
from agentopic.ports.journal import Backlog, Holdings

PORTION = 1000

_DELIVERIES = """
    SELECT count(*) FROM j_lane JOIN j_delivery ON j_delivery.lane = j_lane.id WHERE j_lane."group" = ?
"""
_BEGUN = """
    SELECT count(*) FROM j_lane WHERE "group" = ? AND attempts > 0
    AND EXISTS (SELECT 1 FROM j_delivery WHERE lane = j_lane.id)
"""
_UNSENT = 'SELECT count(*) FROM j_lane JOIN j_outbox ON j_outbox.lane = j_lane.id WHERE j_lane."group" = ?'


def held(tx: Transaction, me: int) -> Holdings:
    """Return what the file says this process holds."""
    tx.check_alive(me)
    (beat,) = tx.row("SELECT beat FROM j_process WHERE id = ?", me)
    return Holdings(lanes=show_lanes(tx, lanes_of(tx, me)), rows=process_rows(tx, me), beat=beat)


def backlog(tx: Transaction, groups: Sequence[str]) -> Mapping[str, Backlog]:
    """Count unfinished work per group; rows of processes are under ''."""
    (of_processes,) = tx.row("SELECT count(*) FROM j_outbox WHERE owner IS NOT NULL")
    counts = {"": Backlog(deliveries=0, unsent=of_processes)}
    for group in groups:
        deliveries, begun, unsent = (tx.row(count, group)[0] for count in (_DELIVERIES, _BEGUN, _UNSENT))
        counts[group] = Backlog(deliveries=deliveries, unsent=unsent, unstarted=deliveries - begun)
    return counts


_MENTIONED = """
    SELECT EXISTS (SELECT 1 FROM j_delivery WHERE instr(head, ?)) OR EXISTS (
        SELECT 1 FROM j_step JOIN j_delivery ON j_delivery.identity = j_step.turn WHERE instr(result, ?)
    )
"""


def mentioned(tx: Transaction, texts: Sequence[str]) -> AbstractSet[str]:
    """Return the texts that unfinished deliveries or what is recorded for them contain."""
    return {text for text in texts if tx.row(_MENTIONED, text.encode(), text.encode())[0]}


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


_PAST = (
    "DELETE FROM j_answer WHERE rowid IN (SELECT rowid FROM j_answer WHERE keep_until <= :now LIMIT :portion)",
    """
    DELETE FROM j_step WHERE seq IN (SELECT seq FROM j_step WHERE opened_at <= :horizon
    AND NOT EXISTS (SELECT 1 FROM j_delivery WHERE j_delivery.identity = j_step.turn) LIMIT :portion)
    """,
    """
    DELETE FROM j_request WHERE rowid IN (SELECT rowid FROM j_request WHERE keep_until <= :now
    OR (keep_until IS NULL AND opened_at <= :horizon AND ifnull(due_at, 0) <= :now) LIMIT :portion)
    """,
    """
    DELETE FROM j_spend WHERE rowid IN
    (SELECT rowid FROM j_spend WHERE at <= :horizon AND scope LIKE 'run/%' LIMIT :portion)
    """,
    "DELETE FROM j_run_cancel WHERE run IN (SELECT run FROM j_run_cancel WHERE at <= :day LIMIT :portion)",
    "DELETE FROM j_process WHERE ended_at <= :horizon",
)


def sweep_rest(tx: Transaction, horizon: float) -> bool:
    """Forget a portion of everything else that is past; return whether there may be more."""
    times = {"now": tx.now, "horizon": horizon, "day": tx.now - RUN_SECONDS, "portion": PORTION}
    return max(tx.execute_named(statement, times) for statement in _PAST) >= PORTION
