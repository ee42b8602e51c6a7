from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agentopic.envelope.kafka_headers import pack_headers, unpack_headers

HEADERS = st.lists(st.tuples(st.text(), st.binary())).map(tuple)


@given(HEADERS)
def test_headers_come_back_unchanged_whatever_their_names_hold(headers: tuple[tuple[str, bytes], ...]) -> None:
    assert unpack_headers(pack_headers(headers)) == headers


def test_no_headers_take_no_bytes() -> None:
    assert pack_headers(()) == b""


def test_values_lie_in_the_block_as_they_are() -> None:
    assert b"a value" in pack_headers((("name", b"a value"),))
