"""Rows that are carried from one journal to another: how their cells are read, and which of them are the same."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import TypeVar, cast

from agentopic.adapters.journal.text import check_text
from agentopic.errors import ValueRefusedError
from agentopic.ports.journal import OutboxRow, PortableRow, ReplyAddress
from agentopic.ports.transport import Headers

T = TypeVar("T", str, int, bytes, bool)


class Cells:
    """The cells of one row, each of the type that is asked for."""

    def __init__(self, row: PortableRow) -> None:
        self._row = row

    def get(self, name: str, kind: type[T]) -> T:
        """Return a cell.

        Raises:
            ValueRefusedError: it is missing or of another type.
        """
        value = self.maybe(name, kind)
        if value is None:
            raise ValueRefusedError(f"a row of table {self._row.table!r} has no {name!r}")
        return value

    def maybe(self, name: str, kind: type[T]) -> T | None:
        """Return a cell that may be empty; errors as with `get`."""
        value = self._row.values.get(name)
        if value is None:
            return None
        if kind is bool and value in (0, 1):
            return kind(value)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ValueRefusedError(f"{name!r} of table {self._row.table!r} is no {kind.__name__}: {value!r:.80}")
        return value

    def addresses(self) -> Sequence[ReplyAddress]:
        """Return the reply addresses of a delivery."""
        topics, partitions = self._list("reply_topics", str), self._list("reply_partitions", int)
        if len(topics) != len(partitions):
            raise ValueRefusedError("a delivery has reply topics and partitions of different number")
        return [ReplyAddress(topic, partition) for topic, partition in zip(topics, partitions, strict=True)]

    def _list(self, name: str, kind: type[T]) -> Sequence[T]:
        value = self._row.values.get(name) or ()
        if isinstance(value, str | bytes | int | float) or not all(type(part) is kind for part in value):
            raise ValueRefusedError(f"{name!r} of table {self._row.table!r} is no list of {kind.__name__}")
        return cast("Sequence[T]", value)

    def headers(self) -> Headers:
        """Return the headers of an answer or an outbox row; errors as with `get`."""
        try:
            return tuple(
                (str(name), str(value).encode("latin-1")) for name, value in json.loads(self.get("headers", str))
            )
        except (ValueError, TypeError) as exc:
            raise ValueRefusedError(f"headers of table {self._row.table!r} are no pairs of texts") from exc

    def outbox_row(self) -> OutboxRow:
        """Return the record that a row of the outbox holds; errors as with `get`."""
        return OutboxRow(
            topic=self.get("topic", str),
            key=self.maybe("key", bytes),
            value=self.maybe("value", bytes),
            headers=self.headers(),
            partition=self.maybe("partition", int),
        )


def headers_text(headers: Headers) -> str:
    """Return headers as a carried row holds them: JSON text [[name, latin-1 text]…]."""
    return json.dumps([[name, value.decode("latin-1")] for name, value in headers])


def outbox_identity(lane: bytes | None, row: OutboxRow) -> bytes:
    """Return 16 bytes that name a record to publish by its content; noted among the identities seen when restored."""
    digest = blake2b(digest_size=16)
    parts = (lane, row.topic.encode(), str(row.partition).encode(), row.key, row.value)
    for part in (*parts, headers_text(row.headers).encode()):
        digest.update(b"-" if part is None else b"%d:%b" % (len(part), part))
    return digest.digest()


def check_rows(rows: Iterable[PortableRow]) -> None:
    """Raise `ValueRefusedError` when a text among the cells cannot be stored everywhere."""
    for row in rows:
        for name, value in row.values.items():
            for text in (value,) if isinstance(value, str) else value if isinstance(value, list | tuple) else ():
                if isinstance(text, str):
                    check_text(name, text)
