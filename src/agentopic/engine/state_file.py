"""The file of exported state: JSON Lines with a head, one row a line, and a foot that seals it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, cast

from agentopic.errors import StateFileError
from agentopic.ports.journal import Cell, PortableRow

KIND: Final = "agentopic.state"
FORMAT: Final = 1
"""Raised when a reader of the earlier format would misread a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateHead:
    """What a file says of itself before its rows."""

    namespace: str
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedBlob:
    """A payload that rows of the file refer to."""

    sha256: str
    data: bytes


Line = PortableRow | CarriedBlob


class StateWriter:
    """Writes one file; without `finish` it is not whole and no reader takes it."""

    def __init__(self, out: BinaryIO, head: StateHead) -> None:
        self._out, self._digest = out, hashlib.sha256()
        self.counts: Counter[str] = Counter()
        """Rows written so far, by table; payloads are under `blob`."""
        self._write({"kind": KIND, "format": FORMAT, "namespace": head.namespace, "groups": head.groups})

    def add(self, line: Line) -> None:
        """Write one row or payload."""
        if isinstance(line, CarriedBlob):
            table, values = "blob", cast("Mapping[str, Cell]", {"sha256": line.sha256, "data": line.data})
        else:
            table, values = line.table, line.values
        self.counts[table] += 1
        self._write({"table": table, "values": {name: _written(cell) for name, cell in values.items()}})

    def finish(self) -> None:
        """Write the foot: what was counted, and the hash of everything before it."""
        self._write({"counts": dict(self.counts), "sha256": self._digest.hexdigest()})

    def _write(self, content: Mapping[str, Any]) -> None:
        line = json.dumps(content, separators=(",", ":")).encode() + b"\n"
        self._digest.update(line)
        self._out.write(line)


def verify(source: BinaryIO) -> StateHead:
    """Read a file from its beginning to its end and return its head when it is whole and unaltered.

    Raises:
        StateFileError: it is no such file, of a newer format, cut short or altered.
    """
    source.seek(0)
    first = source.readline()
    head = _head(first)
    digest, last = hashlib.sha256(), first
    for line in source:
        digest.update(last)
        last = line
    if f'"sha256":"{digest.hexdigest()}"}}\n'.encode() not in last:
        raise StateFileError("the file of exported state is cut short or altered: its checksum does not fit")
    return head


def read_lines(source: BinaryIO) -> Iterator[Line]:
    """Return the rows and payloads of a verified file, in order.

    Raises:
        StateFileError: a line is none that this program writes; its checksum says only that nobody has altered it.
    """
    source.seek(0)
    source.readline()
    for line in source:
        content = _parsed(line)
        if "table" not in content:
            return
        yield _line(content)


def _line(content: Mapping[str, Any]) -> Line:
    try:
        values = {name: _read(cell) for name, cell in content["values"].items()}
        if content["table"] == "blob":
            return CarriedBlob(sha256=cast("str", values["sha256"]), data=cast("bytes", values["data"]))
        return PortableRow(table=content["table"], values=values)
    except (KeyError, AttributeError, TypeError, ValueError) as exc:
        raise StateFileError("the file of exported state has a line that is no row") from exc


def _head(line: bytes) -> StateHead:
    content = _parsed(line)
    if content.get("kind") != KIND:
        raise StateFileError("this is no file of exported state")
    if content.get("format") != FORMAT:
        raise StateFileError(f"the file has format {content.get('format')}, this program reads {FORMAT}: upgrade it")
    namespace, groups = content.get("namespace"), content.get("groups")
    if not isinstance(namespace, str) or not isinstance(groups, list):
        raise StateFileError("the file of exported state does not say whose state it is")
    return StateHead(namespace=namespace, groups=tuple(map(str, cast("list[object]", groups))))


def _parsed(line: bytes) -> Mapping[str, Any]:
    try:
        content: object = json.loads(line)
    except (ValueError, RecursionError) as exc:
        raise StateFileError("the file of exported state has a line that is no JSON") from exc
    if not isinstance(content, dict):
        raise StateFileError("the file of exported state has a line that is no JSON object")
    return cast("Mapping[str, Any]", content)


def _written(cell: Cell) -> object:
    """Bytes are written as an object, which no cell is; everything else is JSON already."""
    if isinstance(cell, bytes):
        return {"base64": base64.b64encode(cell).decode("ascii")}
    return list(cell) if isinstance(cell, Sequence) and not isinstance(cell, str) else cell


def _read(value: Any) -> Cell:
    return base64.b64decode(cast("dict[str, str]", value)["base64"]) if isinstance(value, dict) else value
