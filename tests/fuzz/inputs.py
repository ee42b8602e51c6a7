"""What is thrown at the doors: bytes without sense, and things that are almost right."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

TEXTS = st.text(max_size=60) | st.sampled_from(
    ["", "1.0", "a\0b", "\ud800", "é" * 600, "2026-02-30T25:00:00Z", "NaN", "-1"]
)
BYTES = st.binary(max_size=200) | st.sampled_from([b"", b"{", b"null", b"\xff\xfe", b'{"number": 1}', b"[" * 5000])

NAMES = st.sampled_from(
    [
        *("specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "dataref"),
        *("correlationid", "causationid", "expirytime", "traceparent", "partitionkey", "agmsgkind", "agrequestid"),
        *("agreplyto", "agtargettype", "agtargetkey", "agtopictype", "agtopicsource", "aghops", "agredrive"),
        *("agattempt", "agagentsendertype", "agagentsenderkey", "agcallchain", "data", "data_base64"),
    ]
)
VALUES = TEXTS | st.sampled_from(
    ["request", "reply", "control", "stream", "publish", "town.replies/0", "0", "99999999999"]
)
CONTENT_TYPES = st.sampled_from(
    [
        b"application/json",
        b"application/cloudevents+json",
        b"application/cloudevents+protobuf",
        b"text/plain",
        b";",
        b"\xff",
    ]
)
RIGHT = {"specversion": "1.0", "id": "i", "source": "/s", "type": "fuzz.Note.v1"}


def _headers(
    changes: dict[str, str], content_type: bytes | None, other: list[tuple[str, bytes]], *, right: bool
) -> Any:
    attributes = {**(RIGHT if right else {}), **changes}
    named = [(f"ce_{name}", value.encode("utf-8", "surrogatepass")) for name, value in attributes.items()]
    typed = [] if content_type is None else [("content-type", content_type)]
    return (*named, *typed, *other)


HEADERS = st.builds(
    _headers,
    st.dictionaries(NAMES, VALUES, max_size=6),
    st.none() | CONTENT_TYPES,
    st.lists(st.tuples(TEXTS, BYTES), max_size=3),
    right=st.booleans(),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
EVENTS = st.builds(
    lambda changes, right: json.dumps({**(RIGHT if right else {}), **changes}).encode(),
    st.dictionaries(NAMES, VALUES | JSON, max_size=6),
    st.booleans(),
)
DOCUMENTS = BYTES | EVENTS | st.lists(EVENTS, max_size=3).map(lambda events: b"[" + b",".join(events) + b"]")
