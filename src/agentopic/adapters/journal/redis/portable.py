"""Carrying the journal's content over to another, and back; looking through all of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from agentopic.adapters.journal.carried import check_rows, headers_text
from agentopic.adapters.journal.redis.batches import SPEND_COUNTS
from agentopic.adapters.journal.redis.carried_words import restore_words
from agentopic.adapters.journal.redis.membership import RedisMembership
from agentopic.adapters.journal.redis.rows import address_of, content_of, stored_row
from agentopic.errors import JournalError
from agentopic.ports.journal import Cell, PortableRow, Table

_PORTION = 100
"""How many lanes, turns or rows one script looks at: the server serves nobody else meanwhile."""

_COLUMNS: Mapping[Table, Sequence[str]] = {
    "agent": ("id", "group", "version", "snapshot", "snapshot_version"),
    "event": ("id", "version", "value"),
    "lane": ("id", "group", "key", "attempts", "failures", "crashes", "ready_ms", "paused"),
    "step": ("turn", "key", "ordinal", "lane", "kind", "name", "intent_ms", "due_ms", "note", "result"),
}
_TEXTS: Mapping[Table, Sequence[str]] = {
    "agent": ("group",),
    "event": (),
    "lane": ("group", "key"),
    "step": ("kind", "name"),
}


class RedisPortable(RedisMembership):
    """Reading and writing the content of the journal as rows."""

    async def dump(self, groups: Sequence[str]) -> AsyncIterator[PortableRow]:
        """Return all rows of these groups."""
        for process, group in await self._show("living", (b"",), groups):
            raise JournalError(f"process {process} of {group.decode()} is alive: stop it first")
        agents = [lane for group in groups async for lane in self._members("SSCAN", f"agents:{group}")]
        lanes = [lane for group in groups async for lane in self._members("SSCAN", f"lanes:{group}")]
        turns = [turn async for turn in self._members("ZSCAN", "turns")]
        answers = [request async for request in self._members("ZSCAN", "answers")]
        tables = (
            self._rows("agent", agents, groups, _plain("agent")),
            self._rows("event", agents, groups, _plain("event")),
            self._rows("lane", lanes, groups, _lane),
            self._rows("delivery", lanes, groups, _delivery),
            self._rows("step", turns, groups, _plain("step")),
            self._seen(),
            self._rows("answer", answers, groups, _answer),
            self._rows("outbox", lanes, groups, _outbox),
            self._process_rows(),
            self._spending(),
        )
        for table in tables:
            async for row in table:
                yield row

    async def restore(self, rows: Sequence[PortableRow]) -> int:
        """Store rows that are not there yet and return how many."""
        check_rows(rows)
        return int(await self._link.run("restore", restore_words(rows)))

    async def mentioned(self, texts: Sequence[str]) -> AbstractSet[str]:
        """Return those of these ASCII texts that unfinished deliveries or their step results contain."""
        groups = [group.decode() async for group in self._members("SSCAN", "groups")]
        lanes = [lane for group in groups async for lane in self._members("SSCAN", f"lanes:{group}")]
        found: set[str] = set()
        for portion in _portions(lanes):
            words = (len(texts), *texts, len(portion), *portion)
            found.update(text.decode() for text in await self._link.run("mentioned", words))
        return found

    async def _seen(self) -> AsyncIterator[PortableRow]:
        async for identity, at in self._pairs("ZSCAN", "seen"):
            yield _portable("seen", identity=identity, at_ms=int(float(at) / 1000))

    async def _process_rows(self) -> AsyncIterator[PortableRow]:
        async for number, packed in self._pairs("HSCAN", "rows"):
            yield _outbox([int(number), None, packed])

    async def _spending(self) -> AsyncIterator[PortableRow]:
        scopes = [scope async for scope in self._members("SSCAN", "scopes")]
        for portion in _portions(scopes):
            for scope, row in zip(portion, await self._link.run("spent", (len(portion), *portion)), strict=True):
                counts = {name: int(count or 0) for name, count in zip(SPEND_COUNTS, row, strict=True)}
                yield _portable("spend", scope=scope.decode(), **counts)

    async def _rows(
        self, table: Table, ids: Sequence[bytes], groups: Sequence[str], read: Callable[[list[Any]], PortableRow]
    ) -> AsyncIterator[PortableRow]:
        for portion in _portions(ids):
            for row in await self._show(table, portion, groups):
                yield read(row)

    async def _show(self, kind: str, ids: Sequence[bytes], groups: Sequence[str]) -> list[list[Any]]:
        rows: list[list[Any]] = await self._link.run("dump", (kind, len(ids), *ids, len(groups), *groups))
        return rows

    async def _members(self, scan: str, name: str) -> AsyncIterator[bytes]:
        """Return what a set contains, in pages: what is there all along is returned, sometimes twice."""
        if scan == "SSCAN":
            async for page in self._pages(scan, name):
                for member in page:
                    yield member
        else:
            async for member, _ in self._pairs(scan, name):
                yield member

    async def _pairs(self, scan: str, name: str) -> AsyncIterator[tuple[bytes, bytes]]:
        async for page in self._pages(scan, name):
            for pair in zip(page[::2], page[1::2], strict=True):
                yield pair

    async def _pages(self, scan: str, name: str) -> AsyncIterator[list[bytes]]:
        cursor = b"0"
        while True:
            cursor, page = await self._link.command(
                scan, f"{self._options.prefix}{name}", cursor, "COUNT", _PORTION * 10
            )
            yield page
            if cursor == b"0":
                return


def _portions(ids: Sequence[bytes]) -> Iterable[Sequence[bytes]]:
    once = list(dict.fromkeys(ids))
    return (once[start : start + _PORTION] for start in range(0, len(once), _PORTION))


def _portable(table: Table, **values: Cell) -> PortableRow:
    return PortableRow(table=table, values=values)


def _plain(table: Table) -> Callable[[list[Any]], PortableRow]:
    """Return what reads a row whose cells come as they are stored."""
    columns, texts = _COLUMNS[table], _TEXTS[table]

    def read(row: list[Any]) -> PortableRow:
        cells = dict(zip(columns, row, strict=True))
        cells.update({name: cells[name].decode() for name in texts})
        return PortableRow(table=table, values=cells)

    return read


def _lane(row: list[Any]) -> PortableRow:
    cells = dict(_plain("lane")(row).values)
    return PortableRow(table="lane", values={**cells, "paused": bool(cells["paused"])})


def _delivery(row: list[Any]) -> PortableRow:
    lane, pos, identity, head, body, request, addresses, deadline_ms, caller, cancelled = row
    reply_to = list(map(address_of, addresses))
    return _portable(
        "delivery",
        lane=lane,
        pos=pos,
        identity=identity,
        head=head,
        body=body,
        request_id=None if request is None else request.decode(),
        reply_topics=[address.topic for address in reply_to],
        reply_partitions=[address.partition for address in reply_to],
        deadline_ms=deadline_ms,
        caller=caller,
        cancelled=bool(cancelled),
    )


def _answer(row: list[Any]) -> PortableRow:
    request, outcome, content, keep_until_ms = row
    key, value, headers = content_of(content)
    return _portable(
        "answer",
        request_id=request.decode(),
        outcome=outcome.decode(),
        key=key,
        value=value,
        headers=headers_text(headers),
        keep_until_ms=keep_until_ms,
    )


def _outbox(row: list[Any]) -> PortableRow:
    number, lane, record = stored_row(row)
    return _portable(
        "outbox",
        id=number,
        lane=lane,
        topic=record.topic,
        partition=record.partition,
        key=record.key,
        value=record.value,
        headers=headers_text(record.headers),
    )
