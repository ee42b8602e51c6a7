from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentopic.adapters.journal.postgres.headers import pack_headers, unpack_headers
from agentopic.errors import ValueRefusedError

NAMES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"))


@given(st.lists(st.tuples(NAMES, st.binary())))
def test_headers_come_back_unchanged(headers: list[tuple[str, bytes]]) -> None:
    assert unpack_headers(pack_headers(tuple(headers))) == tuple(headers)


def test_a_repeated_name_keeps_its_order() -> None:
    headers = (("a", b"1"), ("b", b""), ("a", b"2"))

    assert unpack_headers(pack_headers(headers)) == headers


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_a_name_that_is_no_text_is_refused(name: str) -> None:
    with pytest.raises(ValueRefusedError):
        pack_headers(((name, b""),))
