"""What is thrown at the doors: bytes without sense, and things that are almost right."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from agentopic._proto.cloudevent_pb2 import CloudEvent

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
GOOD = st.dictionaries(
    st.sampled_from(["subject", "correlationid", "partitionkey", "agtopictype", "color", "agmsgkind", "dataschema"]),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), min_size=1, max_size=30)
    | st.sampled_from(["request", "a b%c", '"quoted"', "100%", "é€😀"]),
    max_size=4,
)
"""Attributes that are right most of the time, so that what they stand beside is looked at."""


def _headers(
    changes: dict[str, str], good: dict[str, str] | None, content_type: bytes | None, other: list[tuple[str, bytes]]
) -> Any:
    attributes = {**({} if good is None else RIGHT | good), **changes}
    named = [(f"ce_{name}", value.encode("utf-8", "surrogatepass")) for name, value in attributes.items()]
    typed = [] if content_type is None else [("content-type", content_type)]
    return (*named, *typed, *other)


HEADERS = st.builds(
    _headers,
    st.dictionaries(NAMES, VALUES, max_size=6) | st.dictionaries(NAMES, VALUES, max_size=1),
    st.none() | GOOD,
    st.none() | CONTENT_TYPES,
    st.lists(st.tuples(TEXTS, BYTES), max_size=3),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
EVENTS = st.builds(
    lambda changes, good: json.dumps({**({} if good is None else RIGHT | good), **changes}).encode(),
    st.dictionaries(NAMES, VALUES | JSON, max_size=6) | st.dictionaries(NAMES, VALUES, max_size=1),
    st.none() | GOOD,
)
DOCUMENTS = BYTES | EVENTS | EVENTS | st.lists(EVENTS, max_size=3).map(lambda events: b"[" + b",".join(events) + b"]")


def _fields(changes: dict[str, str], good: dict[str, str], content_type: bytes | None, *, upper: bool) -> Any:
    """Return the header fields of an HTTP request in binary mode."""
    attributes = {**RIGHT, **good, **changes}
    named = {f"ce-{name}": value for name, value in attributes.items()}
    typed = {} if content_type is None else {"content-type": content_type.decode("latin-1")}
    return {(name.upper() if upper else name): value for name, value in {**named, **typed}.items()}


FIELDS = st.builds(
    _fields,
    st.dictionaries(NAMES, VALUES, max_size=2),
    GOOD,
    st.none() | CONTENT_TYPES,
    upper=st.booleans(),
)
_SPANS = st.fixed_dictionaries(
    {
        "seconds": st.integers(-(2**40), 2**40) | st.integers(0, 2**31),
        "nanos": st.integers(0, 10**9 - 1) | st.integers(-(2**31), 2**31 - 1),
    }
)
_WORDS = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
_KINDS = st.one_of(
    st.tuples(st.sampled_from(["ce_string", "ce_uri", "ce_uri_ref"]), _WORDS),
    st.tuples(st.just("ce_integer"), st.integers(-(2**31), 2**31 - 1)),
    st.tuples(st.just("ce_boolean"), st.booleans()),
    st.tuples(st.just("ce_bytes"), BYTES),
    st.tuples(st.just("ce_timestamp"), _SPANS),
)
_BODIES = st.one_of(
    st.none(),
    st.tuples(st.just("binary_data"), BYTES),
    st.tuples(st.just("text_data"), _WORDS),
    st.tuples(
        st.just("proto_data"),
        st.fixed_dictionaries(
            {"type_url": st.sampled_from(["type.googleapis.com/fuzz.Note", "fuzz.Note", ""]) | _WORDS, "value": BYTES}
        ),
    ),
)


def _message(
    named: dict[str, str], good: dict[str, str], odd: dict[str, tuple[str, Any]], body: tuple[str, Any] | None
) -> bytes:
    """Return a serialized event: named fields, attributes of every kind, data of every kind."""
    core = {"id": "i", "source": "/s", "type": "fuzz.Note.v1", "spec_version": "1.0", **named}
    message = CloudEvent(**core, **({} if body is None else {body[0]: body[1]}))
    for name, text in good.items():
        message.attributes[name].ce_string = text
    for name, (kind, value) in odd.items():
        message.attributes[name].MergeFrom(CloudEvent.CloudEventAttributeValue(**{kind: value}))
    return message.SerializeToString()


def _damaged(raw: bytes, place: int, byte: int) -> bytes:
    """Return the same bytes with one of them altered."""
    at = place % max(1, len(raw))
    return raw[:at] + bytes([byte]) + raw[at + 1 :]


MESSAGES = st.builds(
    _message,
    st.dictionaries(st.sampled_from(["id", "source", "type", "spec_version"]), _WORDS, max_size=1),
    GOOD,
    st.dictionaries(NAMES.filter(lambda name: name not in {"data", *RIGHT}) | st.just("color"), _KINDS, max_size=3),
    _BODIES,
)
DAMAGED_MESSAGES = st.builds(_damaged, MESSAGES, st.integers(0, 1000), st.integers(0, 255))
