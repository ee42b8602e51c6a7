"""Hypothesis strategies for envelopes and their parts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import strategies as st

from agentopic.envelope import Envelope, ExtensionValue
from agentopic.envelope.attributes import CORE, INTEGER_EXTENSIONS, KNOWN_EXTENSIONS

_NONCHARACTERS = {chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF)} | {
    chr(point) for point in range(0xFDD0, 0xFDF0)
}

texts = st.text(
    st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="".join(sorted(_NONCHARACTERS))),
    max_size=40,
)
nonempty = texts.filter(bool)
zones = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(-timedelta(hours=8))])
times = st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1), timezones=zones)  # noqa: DTZ001
integers = st.integers(-(2**31), 2**31 - 1)
names = st.from_regex(r"[a-z0-9]{1,20}", fullmatch=True).filter(
    lambda name: name not in CORE | KNOWN_EXTENSIONS | {"data"}
)
media_types = st.sampled_from(
    ["application/json", "application/json; charset=utf-8", "application/cbor", "text/plain", "image/png"]
)
known_text = st.sampled_from(sorted(KNOWN_EXTENSIONS - INTEGER_EXTENSIONS - {"expirytime"}))

text_extensions = st.dictionaries(names | known_text, texts, max_size=5)
known_integers = st.dictionaries(st.sampled_from(sorted(INTEGER_EXTENSIONS)), integers, max_size=3)
typed_extensions = st.dictionaries(names, texts | integers | st.booleans(), max_size=5)


def envelopes(
    *,
    extensions: st.SearchStrategy[Mapping[str, ExtensionValue]] | None = None,
    data: st.SearchStrategy[bytes | None] | None = None,
) -> st.SearchStrategy[Envelope]:
    """Valid envelopes; by default with extensions that survive a binding of text only."""
    textual = st.builds(lambda text, numbers: {**text, **numbers}, text_extensions, known_integers)
    return st.builds(
        Envelope,
        id=nonempty,
        source=nonempty,
        type=nonempty,
        subject=st.none() | nonempty,
        time=st.none() | times,
        datacontenttype=st.none() | media_types,
        dataschema=st.none() | nonempty,
        data=st.none() | st.binary(max_size=200) if data is None else data,
        extensions=textual if extensions is None else extensions,
    )
