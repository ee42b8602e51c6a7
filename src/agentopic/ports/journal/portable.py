"""Portable: everything unfinished, and what later work needs of the past, as rows that any journal can take in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Table = Literal["agent", "event", "lane", "delivery", "step", "seen", "answer", "outbox", "spend"]
Cell = str | int | float | bool | bytes | None | Sequence[str] | Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PortableRow:
    """One row by the column names of journal.md section 1; times are ms since the epoch, headers packed.

    Columns, the same for every journal. `agent`: id, version, snapshot. `event`: id, version, value. `lane`: id,
    group, key, attempts, failures, crashes, ready_ms (None: never), paused (attempts, failures and crashes are those
    of its head). `delivery`: lane, pos, identity, head, body, request_id, reply_topics, reply_partitions, deadline_ms,
    caller, cancelled. `step`: turn, key, ordinal, lane, kind, name, intent_ms, due_ms, note, result. `seen`: identity,
    at_ms. `answer`: request_id, outcome, key, value, headers, keep_until_ms. `outbox`: id, lane (None: of a process),
    topic, partition, key, value, headers (JSON text [[name, latin-1 text]…]). `spend`: scope and the counts of `Spend`.
    """

    table: Table
    values: Mapping[str, Cell]


class Portable(Protocol):
    """Carrying a journal's content over to another. Errors as for `Lanes`."""

    def dump(self, groups: Sequence[str]) -> AsyncIterator[PortableRow]:
        """Return all rows of these groups, tables in the order of `Table`, each in its own order.

        To be called while no process of the groups runs: what a living one holds makes it incomplete.

        Raises:
            JournalError: a process of one of the groups is alive.
        """
        ...

    async def restore(self, rows: Sequence[PortableRow]) -> int:
        """Store rows that are not there yet and return how many; a repeated call with the same rows stores nothing.

        Positions, ordinals and row ids are drawn anew in the order given. An agent or lane that exists is kept.
        """
        ...
