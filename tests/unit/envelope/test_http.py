"""The HTTP protocol binding: conformance scenarios, percent-encoding, batches."""

from __future__ import annotations

import json as plain_json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentopic.envelope import Envelope, http, protobuf
from agentopic.envelope.content_mode import ContentMode
from agentopic.errors import EnvelopeError, EnvelopeTooLargeError

from .outcomes import outcome
from .strategies import envelopes

REQUIRED = [("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/s"), ("ce-type", "t")]
BODY = b'{\n    "message": "Hello World!"\n}'


def expected(content_type: str, data: bytes) -> Envelope:
    return Envelope(
        id="1234-1234-1234",
        source="/mycontext/subcontext",
        type="com.example.someevent",
        time=datetime(2018, 4, 5, 3, 56, 24, tzinfo=UTC),
        datacontenttype=content_type,
        data=data,
    )


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8"])
def test_conformance_binary_content_mode(content_type: str) -> None:
    headers = [
        ("Host", "example.com"),
        ("ce-specversion", "1.0"),
        ("ce-type", "com.example.someevent"),
        ("ce-time", "2018-04-05T03:56:24Z"),
        ("ce-id", "1234-1234-1234"),
        ("ce-source", "/mycontext/subcontext"),
        ("Content-Type", content_type),
        ("Content-Length", "33"),
    ]

    assert http.decode(headers, BODY) == expected(content_type, BODY)


@pytest.mark.parametrize(
    "content_type", ["application/cloudevents+json", "application/cloudevents+json; charset=utf-8"]
)
def test_conformance_structured_content_mode(content_type: str) -> None:
    body = {
        "specversion": "1.0",
        "type": "com.example.someevent",
        "time": "2018-04-05T03:56:24Z",
        "id": "1234-1234-1234",
        "source": "/mycontext/subcontext",
        "datacontenttype": "application/json",
        "data": {"message": "Hello World!"},
    }

    decoded = http.decode([("Content-Type", content_type)], plain_json.dumps(body).encode())

    assert decoded == expected("application/json", b'{"message": "Hello World!"}')


@given(envelopes())
def test_binary_mode_keeps_every_event(envelope: Envelope) -> None:
    message = http.encode(envelope)

    assert http.decode(message.headers, message.body) == envelope.replace(data=envelope.data or None)
    assert all(value.isascii() and value.isprintable() for _, value in message.headers)


@given(envelopes(data=st.none()))
def test_structured_mode_keeps_every_event(envelope: Envelope) -> None:
    message = http.encode(envelope, mode=ContentMode.STRUCTURED)

    assert message.headers == (("content-type", "application/cloudevents+json; charset=UTF-8"),)
    assert http.decode(message.headers, message.body) == envelope


@given(st.lists(envelopes(data=st.none()), max_size=4))
def test_batch_keeps_every_event(batch: list[Envelope]) -> None:
    message = http.encode_batch(batch)

    assert http.decode_all(message.headers, message.body) == batch


def test_specification_example_of_percent_encoding() -> None:
    message = http.encode(Envelope(id="1", source="/s", type="t", subject='Euro € 😀 "100%"'))

    assert dict(message.headers)["ce-subject"] == "Euro%20%E2%82%AC%20%F0%9F%98%80%20%22100%25%22"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Euro%20%e2%82%ac", "Euro €"),
        ("%41%42", "AB"),
        ('"a \\"b\\" \\\\c"', 'a "b" \\c'),
        ('"a%20b"', "a b"),
        ("%2525", "%25"),
        ("100%", "100%"),
        ("a b", "a b"),
        ("\u00c3\u00a9", "é"),
        ("漢字", "漢字"),
        ('"', '"'),
        ("  padded\t", "padded"),
    ],
)
def test_header_values_are_unquoted_and_decoded_once(value: str, text: str) -> None:
    assert http.decode([*REQUIRED, ("ce-subject", value)], b"").subject == text


@pytest.mark.parametrize("value", ["%C0%A0", "%FF", "%E2%82", "\u00ff"])
def test_bytes_that_are_not_utf8_are_refused(value: str) -> None:
    with pytest.raises(EnvelopeError, match="ce-subject"):
        http.decode([*REQUIRED, ("ce-subject", value)], b"")


def test_encoded_control_characters_are_refused() -> None:
    with pytest.raises(EnvelopeError, match="subject"):
        http.decode([*REQUIRED, ("ce-subject", "a%0Ab")], b"")


def test_header_names_are_read_in_any_letter_case() -> None:
    headers = [(name.upper(), value) for name, value in REQUIRED]

    assert http.decode([*headers, ("CE-Any", "x")], b"").extensions == {"any": "x"}


def test_foreign_and_malformed_headers_are_not_looked_at() -> None:
    foreign = [
        ("x-any", "%FF"),
        ("ce-", "%FF"),
        ("ce-my-ext", "%FF"),
        ("ce-datacontenttype", "%FF"),
        ("ce_id", "%FF"),
    ]

    assert http.decode([*REQUIRED, *foreign], b"") == http.decode(REQUIRED, b"")


@pytest.mark.parametrize("name", ["ce-id", "ce-source", "ce-type", "ce-specversion"])
def test_missing_required_attribute_is_refused(name: str) -> None:
    with pytest.raises(EnvelopeError, match=name[3:]):
        http.decode([header for header in REQUIRED if header[0] != name], b"")


def test_protobuf_format_is_read() -> None:
    envelope = Envelope(id="1", source="/s", type="t", data=b"\x00")

    assert http.decode([("content-type", protobuf.MEDIA_TYPE)], protobuf.dumps(envelope)) == envelope


def test_unknown_format_is_read_from_the_headers() -> None:
    decoded = http.decode([*REQUIRED, ("content-type", "application/cloudevents+avro")], b"\x00")

    assert (decoded.data, decoded.datacontenttype) == (b"\x00", "application/cloudevents+avro")


def test_batch_is_refused_where_one_event_is_expected() -> None:
    with pytest.raises(EnvelopeError, match="batch"):
        http.decode([("content-type", "application/cloudevents-batch+json")], b"[]")


def test_batch_of_an_unknown_format_is_refused() -> None:
    with pytest.raises(EnvelopeError, match="batch"):
        http.decode_all([("content-type", "application/cloudevents-batch+avro")], b"[]")


def test_single_event_is_a_batch_of_one() -> None:
    assert http.decode_all(REQUIRED, b"x") == [http.decode(REQUIRED, b"x")]


def test_size_is_checked_before_anything_is_parsed() -> None:
    batch = [("content-type", "application/cloudevents-batch+json")]

    for read, headers in ((http.decode, REQUIRED), (http.decode_all, REQUIRED), (http.decode_all, batch)):
        with pytest.raises(EnvelopeTooLargeError):
            read(headers, b"{" * 101, max_bytes=100)


def test_number_of_header_fields_is_limited() -> None:
    with pytest.raises(EnvelopeTooLargeError, match="fields"):
        http.decode([*REQUIRED, *(("x", "") for _ in range(300))], b"")


_WILD = st.tuples(
    st.sampled_from(["Content-Type", "ce-id", "ce-time", "ce-subject", "ce-any", "ce-aghops"]) | st.text(max_size=8),
    st.sampled_from(
        [
            "application/cloudevents+json",
            "application/cloudevents+protobuf",
            "application/cloudevents-batch+json",
        ]
    )
    | st.text(max_size=12),
)


@given(st.lists(_WILD, max_size=8), st.binary(max_size=40), st.booleans())
def test_only_envelope_errors_escape(headers: list[tuple[str, str]], body: bytes, complete: bool) -> None:
    given_headers = [*REQUIRED, *headers] if complete else headers

    outcome(lambda: http.decode_all(given_headers, body))
