"""Taking another journal's rows into a SQLite journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agentopic.adapters.journal.carried import Cells, outbox_identity
from agentopic.adapters.journal.sqlite.ends import pack_addresses
from agentopic.adapters.journal.sqlite.lanes import NEVER
from agentopic.adapters.journal.sqlite.outbox import NewRows
from agentopic.adapters.journal.sqlite.spending import COUNTS
from agentopic.adapters.journal.sqlite.transaction import Transaction
from agentopic.adapters.transport.sqlite_headers import pack_headers
from agentopic.errors import ValueRefusedError
from agentopic.ports.journal import PortableRow

_AGENT = 'INSERT OR IGNORE INTO j_agent (lane, version, "group", snapshot_version, snapshot) VALUES (?, ?, ?, ?, ?)'
_EVENT = """
    INSERT OR IGNORE INTO j_event (lane, version, value) SELECT lane, ?2, ?3 FROM j_agent
    WHERE lane = ?1 AND snapshot_version < ?2 AND ?2 <= version
"""
_LANE = """
    INSERT OR IGNORE INTO j_lane (id, "group", key, attempts, failures, crashes, ready_at, paused)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_DELIVERY = """
    INSERT INTO j_delivery (pos, lane, identity, cancelled, deadline_ms, caller, request_id, addresses, head, body)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_STEP = """
    INSERT OR IGNORE INTO j_step (turn, key, lane, kind, name, opened_at, due_ms, note, result)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 WHERE NOT EXISTS (SELECT 1 FROM j_seen WHERE identity = ?1)
    OR EXISTS (SELECT 1 FROM j_delivery WHERE identity = ?1)
"""
_SEEN = "INSERT OR IGNORE INTO j_seen VALUES (?, ?)"
_ANSWER = "INSERT OR IGNORE INTO j_answer VALUES (?, ?, ?, ?, ?, ?)"
_OUTCOMES = ("done", "dead", "expired", "cancelled")


def restore(tx: Transaction, rows: Sequence[PortableRow]) -> int:
    """Store rows that are not there yet and return how many."""
    restorer = _Restorer(tx)
    calls = {
        "agent": restorer.agent,
        "event": restorer.event,
        "lane": restorer.lane,
        "delivery": restorer.delivery,
        "step": restorer.step,
        "seen": restorer.seen,
        "answer": restorer.answer,
        "outbox": restorer.outbox,
        "spend": restorer.spend,
    }
    return sum(calls[row.table](Cells(row)) for row in rows)


@dataclass(slots=True)
class _Restorer:
    """Takes rows in, one table after another; each call returns how many it stored."""

    tx: Transaction
    former: int | None = None
    """A process that has left, from which the next one that lives adopts the rows that had no lane."""

    def agent(self, cells: Cells) -> int:
        version = cells.get("version", int)
        folded = cells.maybe("snapshot_version", int)
        return self.tx.execute(
            _AGENT,
            cells.get("id", bytes),
            version,
            cells.maybe("group", str),
            version if folded is None else folded,
            cells.maybe("snapshot", bytes),
        )

    def event(self, cells: Cells) -> int:
        return self.tx.execute(_EVENT, cells.get("id", bytes), cells.get("version", int), cells.get("value", bytes))

    def lane(self, cells: Cells) -> int:
        ready_ms = cells.maybe("ready_ms", int)
        return self.tx.execute(
            _LANE,
            cells.get("id", bytes),
            cells.get("group", str),
            cells.get("key", str),
            cells.get("attempts", int),
            cells.get("failures", int),
            cells.get("crashes", int),
            NEVER if ready_ms is None else ready_ms / 1000,
            cells.get("paused", bool),
        )

    def _known_lane(self, lane: bytes) -> bytes:
        if self.tx.row("SELECT 1 FROM j_lane WHERE id = ?", lane) is None:
            raise ValueRefusedError(f"a row belongs to lane {lane.hex()}, which is not there")
        return lane

    def delivery(self, cells: Cells) -> int:
        identity = cells.get("identity", bytes)
        if not self.tx.execute(_SEEN, identity, self.tx.now):
            return 0
        return self.tx.execute(
            _DELIVERY,
            self.tx.next_number("pos"),
            self._known_lane(cells.get("lane", bytes)),
            identity,
            cells.get("cancelled", bool),
            cells.maybe("deadline_ms", int),
            cells.maybe("caller", bytes),
            cells.maybe("request_id", str),
            pack_addresses(cells.addresses()),
            cells.get("head", bytes),
            cells.maybe("body", bytes),
        )

    def step(self, cells: Cells) -> int:
        return self.tx.execute(
            _STEP,
            cells.get("turn", bytes),
            cells.get("key", bytes),
            cells.maybe("lane", bytes),
            cells.get("kind", str),
            cells.get("name", str),
            cells.get("intent_ms", int) / 1000,
            cells.maybe("due_ms", int),
            cells.maybe("note", bytes),
            cells.maybe("result", bytes),
        )

    def seen(self, cells: Cells) -> int:
        return self.tx.execute(_SEEN, cells.get("identity", bytes), cells.get("at_ms", int) / 1000)

    def answer(self, cells: Cells) -> int:
        request_id, outcome = cells.get("request_id", str), cells.get("outcome", str)
        if outcome not in _OUTCOMES:
            raise ValueRefusedError(f"the answer of request {request_id} has an unknown outcome")
        return self.tx.execute(
            _ANSWER,
            request_id,
            outcome,
            cells.maybe("key", bytes),
            cells.maybe("value", bytes),
            pack_headers(cells.headers()),
            cells.get("keep_until_ms", int) / 1000,
        )

    def outbox(self, cells: Cells) -> int:
        lane, row = cells.maybe("lane", bytes), cells.outbox_row()
        if not self.tx.execute(_SEEN, outbox_identity(lane, row), self.tx.now):
            return 0
        rows = NewRows(self.tx, self._former() if lane is None else 0)
        rows.add(row, None if lane is None else self._known_lane(lane))
        return len(rows.store())

    def _former(self) -> int:
        if self.former is None:
            (self.former,) = self.tx.row(
                "INSERT INTO j_process (groups, address, has_left) VALUES ('[]', '', 1) RETURNING id"
            )
        return self.former or 0

    def spend(self, cells: Cells) -> int:
        counts = [cells.maybe(name, int) or 0 for name in COUNTS]
        return self.tx.execute(
            "INSERT OR IGNORE INTO j_spend VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            cells.get("scope", str),
            *counts,
            self.tx.now,
        )
