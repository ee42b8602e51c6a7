"""Carrying the journal's content over to another, and back: each way in one transaction on a connection of its own."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import groupby
from typing import TypeAlias

import asyncpg

from agentopic.adapters.journal.carried import Cells, check_rows, headers_text, outbox_identity
from agentopic.adapters.journal.postgres import carried_sql as sql
from agentopic.adapters.journal.postgres.failures import DRIVER_ERRORS, call_error
from agentopic.adapters.journal.postgres.headers import pack_headers, unpack_headers
from agentopic.adapters.journal.postgres.link import Link, Row
from agentopic.errors import JournalError, ValueRefusedError
from agentopic.ports.journal import Cell, PortableRow, Table

Connection: TypeAlias = "asyncpg.Connection[Row]"
_PORTION = 500
_COUNTS = (
    "calls",
    "saved",
    "unknown",
    "diverged",
    "input_tokens",
    "output_tokens",
    "micros",
    "unpriced",
)


class PostgresPortable:
    """The portable part of the journal."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def dump(self, groups: Sequence[str]) -> AsyncIterator[PortableRow]:
        """Return all rows of these groups as of one moment, read in portions.

        Raises:
            JournalError: a process of one of the groups is alive.
        """
        async with self._transaction("dump", isolation="repeatable_read", readonly=True) as connection:
            for process in await connection.fetch(sql.LIVING, list(groups)):
                raise JournalError(f"process {process['id']} of {', '.join(process['groups'])} is alive: stop it first")
            for table, query in sql.DUMP.items():
                arguments = [list(groups)] if "$1" in query else []
                async for row in connection.cursor(query, *arguments, prefetch=_PORTION):
                    yield PortableRow(table=table, values=_cells(table, row))

    async def restore(self, rows: Sequence[PortableRow]) -> int:
        """Store rows that are not there yet, all or none of them, and return how many."""
        check_rows(rows)
        async with self._transaction("restore", isolation="read_committed", readonly=False) as connection:
            restorer = _Restorer(connection)
            return sum(
                [await restorer.take(table, [Cells(row) for row in part]) for table, part in groupby(rows, key=_table)]
            )

    @asynccontextmanager
    async def _transaction(self, call: str, *, isolation: sql.Isolation, readonly: bool) -> AsyncGenerator[Connection]:
        try:
            connection = await self._link.connect()
            try:
                async with connection.transaction(isolation=isolation, readonly=readonly):
                    await connection.execute(sql.PLANS)
                    yield connection
            finally:
                await connection.close()
        except DRIVER_ERRORS as error:
            raise call_error(call, error) from error


def _table(row: PortableRow) -> Table:
    return row.table


def _cells(table: Table, row: Row) -> Mapping[str, Cell]:
    values: dict[str, Cell] = dict(row.items())
    if table in {"answer", "outbox"}:
        values["headers"] = headers_text(unpack_headers(row["headers"]))
    return values


class _Restorer:
    """Takes portions of one table each in, in the order of the tables."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._former: int | None = None

    async def take(self, table: Table, cells: Sequence[Cells]) -> int:
        """Store what is not there yet and return how many rows that were."""
        if table == "delivery":
            return await self._deliveries(cells)
        if table == "outbox":
            return await self._outbox(cells)
        query, values_of = _PLAIN[table]
        return await self._insert(query, [values_of(cell) for cell in cells])

    async def _insert(self, query: str, rows: Sequence[Sequence[object]]) -> int:
        return int(await self._connection.fetchval(query, *map(list, zip(*rows, strict=True))))

    async def _fresh(self, identities: Sequence[bytes]) -> set[bytes]:
        rows = await self._connection.fetch(sql.FRESH, list(identities))
        return {identity for (identity,) in rows}

    async def _deliveries(self, cells: Sequence[Cells]) -> int:
        rows = {cell.get("identity", bytes): _delivery(cell) for cell in reversed(cells)}
        fresh = await self._fresh(list(rows))
        taken = [rows[identity] for identity in reversed(rows) if identity in fresh]
        return await self._into_lanes(sql.DELIVERY, taken) if taken else 0

    async def _outbox(self, cells: Sequence[Cells]) -> int:
        found = {outbox_identity(cell.maybe("lane", bytes), cell.outbox_row()): cell for cell in reversed(cells)}
        fresh = await self._fresh(list(found))
        rows = [_outbox(found[identity]) for identity in reversed(found) if identity in fresh]
        ordered = [row for row in rows if row[0] is not None]
        if ordered:
            await self._into_lanes(sql.LANE_ROW, ordered)
        if len(ordered) < len(rows):
            former = await self._former_process()
            await self._insert(sql.PROCESS_ROW, [(former, *row[1:]) for row in rows if row[0] is None])
        return len(rows)

    async def _into_lanes(self, query: str, rows: Sequence[Sequence[object]]) -> int:
        stored = await self._insert(query, rows)
        if stored < len(rows):
            raise ValueRefusedError("a row belongs to a lane that is not there")
        return stored

    async def _former_process(self) -> int:
        """Return a process that has left, from which the next one that lives adopts the rows without lane."""
        if self._former is None:
            self._former = int(await self._connection.fetchval(sql.FORMER))
        return self._former


def _agent(cells: Cells) -> Sequence[object]:
    version, folded = cells.get("version", int), cells.maybe("snapshot_version", int)
    return (
        cells.get("id", bytes),
        cells.maybe("group", str),
        version,
        cells.maybe("snapshot", bytes),
        version if folded is None else folded,
    )


def _event(cells: Cells) -> Sequence[object]:
    return cells.get("id", bytes), cells.get("version", int), cells.get("value", bytes)


def _lane(cells: Cells) -> Sequence[object]:
    return (
        cells.get("id", bytes),
        cells.get("group", str),
        cells.get("key", str),
        cells.get("attempts", int),
        cells.get("failures", int),
        cells.get("crashes", int),
        cells.maybe("ready_ms", int),
        cells.get("paused", bool),
    )


def _delivery(cells: Cells) -> Sequence[object]:
    addresses = cells.addresses()
    return (
        cells.get("lane", bytes),
        cells.get("identity", bytes),
        cells.get("head", bytes),
        cells.maybe("body", bytes),
        cells.maybe("request_id", str),
        json.dumps([address.topic for address in addresses]) if addresses else None,
        json.dumps([address.partition for address in addresses]) if addresses else None,
        cells.maybe("deadline_ms", int),
        cells.maybe("caller", bytes),
        cells.get("cancelled", bool),
    )


def _step(cells: Cells) -> Sequence[object]:
    return (
        cells.get("turn", bytes),
        cells.get("key", bytes),
        cells.maybe("lane", bytes) or b"",
        cells.get("kind", str),
        cells.get("name", str),
        cells.get("intent_ms", int),
        cells.maybe("due_ms", int),
        cells.maybe("note", bytes),
        cells.maybe("result", bytes),
    )


def _seen(cells: Cells) -> Sequence[object]:
    return cells.get("identity", bytes), cells.get("at_ms", int)


def _answer(cells: Cells) -> Sequence[object]:
    return (
        cells.get("request_id", str),
        cells.get("outcome", str),
        cells.maybe("key", bytes),
        cells.maybe("value", bytes),
        pack_headers(cells.headers()),
        cells.get("keep_until_ms", int),
    )


def _outbox(cells: Cells) -> Sequence[object]:
    row = cells.outbox_row()
    return cells.maybe("lane", bytes), row.topic, row.partition, row.key, row.value, pack_headers(row.headers)


def _spend(cells: Cells) -> Sequence[object]:
    return cells.get("scope", str), *(cells.maybe(name, int) or 0 for name in _COUNTS)


_PLAIN: Mapping[Table, tuple[str, Callable[[Cells], Sequence[object]]]] = {
    "agent": (sql.AGENT, _agent),
    "event": (sql.EVENT, _event),
    "lane": (sql.LANE, _lane),
    "step": (sql.STEP, _step),
    "seen": (sql.SEEN, _seen),
    "answer": (sql.ANSWER, _answer),
    "spend": (sql.SPEND, _spend),
}
