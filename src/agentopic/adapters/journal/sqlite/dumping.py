"""Everything a SQLite journal holds, as rows that any journal can take in."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agentopic.adapters.journal.carried import headers_text
from agentopic.adapters.journal.sqlite.ends import unpack_addresses
from agentopic.adapters.journal.sqlite.lanes import NEVER
from agentopic.adapters.journal.sqlite.presence import Presence
from agentopic.adapters.journal.sqlite.spending import COUNTS
from agentopic.adapters.journal.sqlite.transaction import Transaction
from agentopic.adapters.transport.sqlite_headers import unpack_headers
from agentopic.errors import JournalError
from agentopic.ports.journal import Cell, PortableRow, Table

PORTION = 1000


def check_stopped(tx: Transaction, presence: Presence, groups: Sequence[str]) -> None:
    """Raise `JournalError` when a process of one of the groups is alive."""
    for process, text in tx.rows("SELECT id, groups FROM j_process WHERE ended_at IS NULL AND NOT has_left"):
        if not set(groups).isdisjoint(json.loads(text)) and not presence.is_gone(process):
            raise JournalError(f"process {process} of {text} is alive: stop it first")


_AGENT = ("id", "group", "version", "snapshot", "snapshot_version")


def _agent(*columns: Any) -> Mapping[str, Cell]:
    return dict(zip(_AGENT, columns, strict=True))


def _event(*columns: Any) -> Mapping[str, Cell]:
    return dict(zip(("id", "version", "value"), columns, strict=True))


_LANE = ("id", "group", "key", "attempts", "failures", "crashes")


def _lane(*columns: Any) -> Mapping[str, Cell]:
    *same, ready_at, paused = columns
    ready_ms = None if ready_at == NEVER else round(ready_at * 1000)
    return dict(zip(_LANE, same, strict=True)) | {"ready_ms": ready_ms, "paused": bool(paused)}


_DELIVERY = ("lane", "pos", "identity", "head", "body", "request_id", "deadline_ms", "caller")


def _delivery(*columns: Any) -> Mapping[str, Cell]:
    *same, text, cancelled = columns
    addresses = unpack_addresses(text)
    return dict(zip(_DELIVERY, same, strict=True)) | {
        "reply_topics": [address.topic for address in addresses],
        "reply_partitions": [address.partition for address in addresses],
        "cancelled": bool(cancelled),
    }


_STEP = ("turn", "key", "ordinal", "lane", "kind", "name", "due_ms", "note", "result")


def _step(*columns: Any) -> Mapping[str, Cell]:
    *same, opened_at = columns
    return dict(zip(_STEP, same, strict=True)) | {"intent_ms": round(opened_at * 1000)}


def _seen(identity: bytes, seen_at: float) -> Mapping[str, Cell]:
    return {"identity": identity, "at_ms": round(seen_at * 1000)}


_ANSWER = ("request_id", "outcome", "key", "value")


def _answer(*columns: Any) -> Mapping[str, Cell]:
    *same, headers, keep_until = columns
    return dict(zip(_ANSWER, same, strict=True)) | {
        "headers": headers_text(unpack_headers(headers)),
        "keep_until_ms": round(keep_until * 1000),
    }


_OUTBOX = ("id", "lane", "topic", "partition", "key", "value")


def _outbox(*columns: Any) -> Mapping[str, Cell]:
    *same, headers = columns
    return dict(zip(_OUTBOX, same, strict=True)) | {"headers": headers_text(unpack_headers(headers))}


def _spend(*columns: Any) -> Mapping[str, Cell]:
    return dict(zip(("scope", *COUNTS), columns, strict=True))


_WORDS = {
    "ours": '"group" IN (SELECT value FROM json_each(:groups))',
    "lanes": 'SELECT id FROM j_lane WHERE "group" IN (SELECT value FROM json_each(:groups))',
    "counts": ", ".join(COUNTS),
}
_QUERIES: dict[Table, str] = {
    "agent": """
        SELECT lane, "group", version, snapshot, snapshot_version, rowid FROM j_agent
        WHERE rowid > :after AND ("group" IS NULL OR {ours}) ORDER BY rowid
    """,
    "event": """
        SELECT e.lane, e.version, e.value, e.rowid FROM j_event e JOIN j_agent USING (lane)
        WHERE e.rowid > :after AND ("group" IS NULL OR {ours}) ORDER BY e.rowid
    """,
    "lane": """
        SELECT id, "group", key, attempts, failures, crashes, ready_at, paused, id FROM j_lane
        WHERE id > :after AND {ours} ORDER BY id
    """,
    "delivery": """
        SELECT lane, pos, identity, head, body, request_id, deadline_ms, caller, addresses, cancelled, pos
        FROM j_delivery WHERE pos > :after AND lane IN ({lanes}) ORDER BY pos
    """,
    "step": """
        SELECT turn, key, seq, lane, kind, name, due_ms, note, result, opened_at, seq FROM j_step
        WHERE seq > :after AND (lane IN ({lanes}) OR NOT EXISTS (SELECT 1 FROM j_delivery WHERE identity = turn))
        ORDER BY seq
    """,
    "seen": "SELECT identity, seen_at, rowid FROM j_seen WHERE rowid > :after ORDER BY rowid",
    "answer": """
        SELECT request_id, outcome, key, value, headers, keep_until, rowid FROM j_answer
        WHERE rowid > :after ORDER BY rowid
    """,
    "outbox": """
        SELECT id, lane, topic, partition, key, value, headers, id FROM j_outbox
        WHERE id > :after AND (lane IS NULL OR lane IN ({lanes})) ORDER BY id
    """,
    "spend": "SELECT scope, {counts}, rowid FROM j_spend WHERE rowid > :after ORDER BY rowid",
}
_BUILDERS: dict[Table, Callable[..., Mapping[str, Cell]]] = {
    "agent": _agent,
    "event": _event,
    "lane": _lane,
    "delivery": _delivery,
    "step": _step,
    "seen": _seen,
    "answer": _answer,
    "outbox": _outbox,
    "spend": _spend,
}
TABLES: Mapping[Table, Cell] = {table: b"" if table == "lane" else 0 for table in _QUERIES}
"""Where the reading of each table begins."""


def read_table(tx: Transaction, table: Table, groups: Sequence[str], after: Cell) -> tuple[list[PortableRow], Cell]:
    """Return a portion of a table and the place behind it; None at the end."""
    values = {"groups": json.dumps(list(groups)), "after": after, "portion": PORTION}
    found = tx.rows_named(f"{_QUERIES[table].format_map(_WORDS)} LIMIT :portion", values)
    rows = [PortableRow(table=table, values=_BUILDERS[table](*columns)) for *columns, _ in found]
    return rows, found[-1][-1] if len(found) == PORTION else None
