"""The file of exported state: what is written is read, and nothing else is taken for it."""

from __future__ import annotations

import json
from io import BytesIO

import pytest

from agentopic.engine.state_file import CarriedBlob, Line, StateHead, StateWriter, read_lines, verify
from agentopic.errors import StateFileError
from agentopic.ports.journal import PortableRow

HEAD = StateHead(namespace="town", groups=("town.clerk", "town.cook"))
LINES: list[Line] = [
    PortableRow(table="agent", values={"id": b"\0\xff" * 8, "version": 3, "snapshot": None, "paused": False}),
    PortableRow(table="delivery", values={"body": b"", "reply_topics": ["a", "b"], "reply_partitions": [1, 2]}),
    PortableRow(table="outbox", values={"headers": '[["ce_id","\u00e4\\u0000"]]', "at": 1.5}),
    CarriedBlob(sha256="ab" * 32, data=bytes(range(256))),
]


def written(*lines: Line) -> BytesIO:
    out = BytesIO()
    writer = StateWriter(out, HEAD)
    for line in lines:
        writer.add(line)
    writer.finish()
    return out


def test_what_was_written_is_read_back_in_order():
    file = written(*LINES)

    assert verify(file) == HEAD
    assert list(read_lines(file)) == LINES


def test_the_foot_counts_rows_by_table():
    file = written(LINES[0], LINES[0], LINES[3])

    foot = json.loads(file.getvalue().splitlines()[-1])

    assert foot["counts"] == {"agent": 2, "blob": 1}


def test_a_file_without_rows_is_whole():
    file = written()

    assert verify(file) == HEAD
    assert list(read_lines(file)) == []


@pytest.mark.parametrize("lost_lines", range(1, len(LINES) + 2))
def test_a_file_that_was_cut_short_is_refused(lost_lines: int):
    whole = written(*LINES).getvalue().splitlines(keepends=True)

    with pytest.raises(StateFileError):
        verify(BytesIO(b"".join(whole[:-lost_lines])))
    with pytest.raises(StateFileError):
        verify(BytesIO(b"".join(whole[:-lost_lines]) + whole[-lost_lines][:-3]))


def test_an_altered_file_is_refused():
    file = written(*LINES).getvalue()

    with pytest.raises(StateFileError, match="altered"):
        verify(BytesIO(file.replace(b'"version":3', b'"version":4')))


@pytest.mark.parametrize("text", [b"", b"\n", b"[]\n", b"{}\n", b"no JSON at all\n", b'{"kind":"agentopic.state"}\n'])
def test_what_is_no_such_file_is_refused(text: bytes):
    with pytest.raises(StateFileError):
        verify(BytesIO(text))
