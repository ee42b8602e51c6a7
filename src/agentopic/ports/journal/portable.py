"""Portable: everything unfinished, and what later work needs of the past, as rows that any journal can take in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Table = Literal["agent", "event", "lane", "delivery", "step", "seen", "answer", "outbox", "spend"]
Cell = str | int | float | bool | bytes | None | Sequence[str] | Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PortableRow:
    """One row by the column names of journal.md section 1; times are ms since the epoch, digests and values bytes.

    Columns, the same for every journal. `agent`: id, group, version, snapshot, snapshot_version. `event`: id, version,
    value, only those after the snapshot. `lane`: id, group, key, attempts, failures, crashes, ready_ms (None: never),
    paused (attempts, failures and crashes are those of its head). `delivery`: lane, pos, identity, head, body,
    request_id, reply_topics, reply_partitions, deadline_ms, caller, cancelled. `step`: turn, key, ordinal, lane, kind,
    name, intent_ms, due_ms, note, result. `seen`: identity, at_ms. `answer`: request_id, outcome, key, value, headers,
    keep_until_ms. `outbox`: id, lane (None: of a process), topic, partition, key, value, headers. `spend`: scope and
    the counts of `Spend`. Headers are JSON text [[name, latin-1 text]…].
    """

    table: Table
    values: Mapping[str, Cell]


class Portable(Protocol):
    """Carrying a journal's content over to another. Errors as for `Lanes`."""

    def dump(self, groups: Sequence[str]) -> AsyncIterator[PortableRow]:
        """Return all rows of these groups, tables in the order of `Table`, each in its own order.

        To be called while no process of the groups runs: what a living one holds makes it incomplete. What has no
        group (identities, answers, spending, rows of processes, steps of dead letters) is returned whole.

        Raises:
            JournalError: a process of one of the groups is alive.
        """
        ...

    async def restore(self, rows: Sequence[PortableRow]) -> int:
        """Store rows that are not there yet and return how many; a repeated call with the same rows stores nothing.

        Positions, ordinals and row ids are drawn anew in the order given. An agent, lane, answer or scope that exists
        is kept; a delivery whose identity is known and the steps of a finished turn are left out; an outbox row is
        known by its content, noted as an identity. Rows of processes belong to one that has left, for the next
        to adopt by burying it. The rows may come in several calls, in the order of `dump`.

        Raises:
            ValueRefusedError: a row is malformed or names a lane that is not there; nothing of this call is stored.
        """
        ...
