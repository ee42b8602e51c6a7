from __future__ import annotations

from collections.abc import Callable

import pytest

from agentopic.adapters.journal.carried import Cells, check_rows, headers_text, outbox_identity
from agentopic.errors import ValueRefusedError
from agentopic.ports.journal import Cell, OutboxRow, PortableRow, ReplyAddress

HEADERS = (("ce_id", b"1"), ("raw", bytes(range(256))), ("ce_id", b"again"))


def cells(**values: Cell) -> Cells:
    return Cells(PortableRow(table="outbox", values=values))


def test_headers_come_back_from_their_text() -> None:
    row = cells(headers=headers_text(HEADERS))

    assert row.headers() == HEADERS


def test_addresses_are_pairs_of_two_lists() -> None:
    row = cells(reply_topics=["a", "b"], reply_partitions=[0, 7])

    assert list(row.addresses()) == [ReplyAddress("a", 0), ReplyAddress("b", 7)]


def test_a_truth_may_be_written_as_a_number() -> None:
    row = cells(paused=1, cancelled=False)

    assert row.get("paused", bool) is True
    assert row.get("cancelled", bool) is False


def test_an_empty_cell_may_be_missing() -> None:
    assert cells(body=None).maybe("body", bytes) is None
    assert cells().maybe("body", bytes) is None


@pytest.mark.parametrize(
    "read",
    [
        lambda: cells().get("topic", str),
        lambda: cells(topic=b"bytes").get("topic", str),
        lambda: cells(partition=True).maybe("partition", int),
        lambda: cells(partition=1.5).maybe("partition", int),
        lambda: cells(paused=2).get("paused", bool),
        lambda: cells(headers="no json").headers(),
        lambda: cells(headers="[1]").headers(),
        lambda: cells(headers='[["name", "\u20ac"]]').headers(),
        lambda: cells(reply_topics=["a"], reply_partitions=[]).addresses(),
        lambda: cells(reply_topics="a", reply_partitions=[0]).addresses(),
        lambda: cells(reply_topics=["a"], reply_partitions=["0"]).addresses(),
    ],
)
def test_a_cell_of_another_form_is_refused(read: Callable[[], object]) -> None:
    with pytest.raises(ValueRefusedError):
        read()


@pytest.mark.parametrize("values", [{"scope": "a\0"}, {"reply_topics": ["a", "\ud800"]}])
def test_text_that_no_journal_stores_is_refused(values: dict[str, Cell]) -> None:
    with pytest.raises(ValueRefusedError):
        check_rows([PortableRow(table="spend", values=values)])


def test_a_record_is_named_by_all_of_its_content() -> None:
    rows = [
        OutboxRow(topic="t", key=b"k", value=b"v"),
        OutboxRow(topic="tk", key=b"", value=b"v"),
        OutboxRow(topic="t", key=None, value=b"v"),
        OutboxRow(topic="t", key=b"k", value=None),
        OutboxRow(topic="t", key=b"k", value=b"v", partition=0),
        OutboxRow(topic="t", key=b"k", value=b"v", headers=HEADERS),
    ]

    names = {outbox_identity(lane, row) for lane in (None, b"l" * 16) for row in rows}

    assert len(names) == 12
    assert outbox_identity(None, rows[0]) == outbox_identity(None, OutboxRow(topic="t", key=b"k", value=b"v"))
    assert {len(name) for name in names} == {16}
