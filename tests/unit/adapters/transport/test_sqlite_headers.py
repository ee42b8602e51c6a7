from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agentopic.adapters.transport.sqlite_headers import pack_headers, unpack_headers

_NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(st.lists(st.tuples(_NAMES, st.binary(max_size=50)), max_size=10))
def test_headers_come_back_as_they_went_in(headers: list[tuple[str, bytes]]) -> None:
    assert unpack_headers(pack_headers(tuple(headers))) == tuple(headers)


def test_headers_of_an_older_file_are_read():
    older = b"".join(
        len(part).to_bytes(4, "little") + part for part in (b"ce_id", b"1", b"ce_id", b"", "ü".encode(), b"x")
    )

    assert unpack_headers(older) == (("ce_id", b"1"), ("ce_id", b""), ("ü", b"x"))
