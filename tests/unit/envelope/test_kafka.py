"""The Kafka protocol binding: its rules, the conformance scenarios, and what arrives in the wild."""

from __future__ import annotations

import json as plain_json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentopic.envelope import Envelope, kafka
from agentopic.envelope.content_mode import ContentMode
from agentopic.envelope.kafka import KafkaMessage, decode, decode_record, encode
from agentopic.errors import EnvelopeError, EnvelopeTooLargeError

from .outcomes import outcome
from .strategies import envelopes, names, typed_extensions

REQUIRED = [("ce_specversion", b"1.0"), ("ce_id", b"1"), ("ce_source", b"/s"), ("ce_type", b"t")]
EVENT = {
    "specversion": "1.0",
    "type": "com.example.someevent",
    "time": "2018-04-05T03:56:24Z",
    "id": "1234-1234-1234",
    "source": "/mycontext/subcontext",
    "datacontenttype": "application/json",
    "data": {"message": "Hello World!"},
}
EXPECTED = Envelope(
    id="1234-1234-1234",
    source="/mycontext/subcontext",
    type="com.example.someevent",
    time=datetime(2018, 4, 5, 3, 56, 24, tzinfo=UTC),
    datacontenttype="application/json",
    data=b'{"message": "Hello World!"}',
)


def record(*headers: tuple[str, bytes], value: bytes | None = b"x", key: bytes | None = None) -> KafkaMessage:
    return KafkaMessage(key, value, (*REQUIRED, *headers))


def structured(event: object, content_type: bytes = b"application/cloudevents+json") -> KafkaMessage:
    return KafkaMessage(None, plain_json.dumps(event).encode(), (("content-type", content_type),))


# ── the scenarios of the conformance project ───────────────────────────────────────────────────────────────


def test_conformance_binary_content_mode() -> None:
    headers = (
        ("ce_specversion", b"1.0"),
        ("ce_id", b"1234-1234-1234"),
        ("ce_type", b"com.example.someevent"),
        ("ce_source", b"/mycontext/subcontext"),
        ("ce_time", b"2018-04-05T03:56:24Z"),
        ("content-type", b"application/json"),
    )

    assert decode(KafkaMessage(None, b'{"message": "Hello World!"}', headers)) == EXPECTED


@pytest.mark.parametrize(
    "content_type",
    [
        b"application/cloudevents+json",
        b"application/cloudevents+json; charset=utf-8",
        b"APPLICATION/CloudEvents+JSON;charset=UTF-8",
        b"application/cloudevents",
    ],
)
def test_conformance_structured_content_mode(content_type: bytes) -> None:
    assert decode(structured(EVENT, content_type)) == EXPECTED


# ── round trips ────────────────────────────────────────────────────────────────────────────────────────────


@given(envelopes(), st.none() | st.binary(max_size=1024))
def test_binary_mode_keeps_every_event(envelope: Envelope, key: bytes | None) -> None:
    message = encode(envelope, key=key)

    assert decode(message) == envelope
    assert (message.key, message.value) == (key, envelope.data)


@given(envelopes(data=st.none() | st.binary(max_size=100)))
def test_structured_mode_keeps_every_attribute(envelope: Envelope) -> None:
    message = encode(envelope, mode=ContentMode.STRUCTURED)

    restored = decode(message)

    assert restored.replace(data=None) == envelope.replace(data=None)
    assert (restored.data or b"").strip(b" \t\r\n") == (envelope.data or b"").strip(b" \t\r\n")
    assert (restored.data is None) == (envelope.data is None)


# ── the rules of the binding ───────────────────────────────────────────────────────────────────────────────


def test_attributes_are_headers_in_utf8_without_percent_encoding() -> None:
    envelope = Envelope(
        id="é 1",
        source="/s",
        type="t",
        subject="漢字%20",
        time=datetime(2024, 5, 6, tzinfo=UTC),
        dataschema="https://example.com/s",
        datacontenttype="text/plain",
        data=b"x",
        extensions={"any": "ü", "flag": True, "off": False, "count": -7, "raw": b"\x00\xff"},
    )

    headers = dict(encode(envelope).headers)

    assert headers == {
        "ce_specversion": b"1.0",
        "ce_id": "é 1".encode(),
        "ce_source": b"/s",
        "ce_type": b"t",
        "ce_subject": "漢字%20".encode(),
        "ce_time": b"2024-05-06T00:00:00Z",
        "ce_dataschema": b"https://example.com/s",
        "content-type": b"text/plain",
        "ce_any": "ü".encode(),
        "ce_flag": b"true",
        "ce_off": b"false",
        "ce_count": b"-7",
        "ce_raw": b"AP8=",
    }


def test_absent_attributes_have_no_header() -> None:
    assert [name for name, _ in encode(Envelope(id="1", source="/s", type="t")).headers] == [
        "ce_specversion",
        "ce_id",
        "ce_source",
        "ce_type",
    ]


def test_event_without_data_is_a_tombstone_in_binary_mode_only() -> None:
    envelope = Envelope(id="1", source="/s", type="t")

    assert encode(envelope).value is None
    assert encode(envelope.replace(data=b"")).value == b""
    assert encode(envelope, mode=ContentMode.STRUCTURED).value is not None


def test_null_and_empty_value_are_told_apart() -> None:
    assert decode(record(value=None)).data is None
    assert decode(record(value=b"")).data == b""


def test_structured_record_has_the_media_type_and_nothing_else() -> None:
    message = encode(EXPECTED, mode=ContentMode.STRUCTURED)

    assert message.headers == (("content-type", b"application/cloudevents+json; charset=UTF-8"),)
    assert plain_json.loads(message.value or b"") == EVENT


def test_structured_mode_is_decided_by_content_type_even_with_ce_headers() -> None:
    message = structured(EVENT)

    decoded = decode(KafkaMessage(None, message.value, (*REQUIRED, *message.headers)))

    assert decoded == EXPECTED


@pytest.mark.parametrize("content_type", [b"application/json", b"application/x-cloudevents+json", b"\xff\xfe"[:0]])
def test_any_other_content_type_is_binary_mode(content_type: bytes) -> None:
    headers = [("content-type", content_type)] if content_type else []

    assert decode(record(*headers, value=b"{}")).data == b"{}"


@pytest.mark.parametrize("name", ["content-type", "Content-Type", "CONTENT-TYPE"])
def test_content_type_header_is_found_in_any_letter_case(name: str) -> None:
    assert decode(record((name, b"text/plain"))).datacontenttype == "text/plain"
    assert decode(structured(EVENT)) == decode(
        KafkaMessage(None, structured(EVENT).value, ((name, b"application/cloudevents+json"),))
    )


@pytest.mark.parametrize("name", ["ce_id", "ce_source", "ce_type", "ce_specversion"])
def test_missing_required_attribute_is_refused_not_invented(name: str) -> None:
    headers = tuple(header for header in REQUIRED if header[0] != name)

    with pytest.raises(EnvelopeError, match=name[3:]):
        decode(KafkaMessage(None, b"x", headers))


@pytest.mark.parametrize("version", [b"0.3", b"1.1", b"2.0", b""])
def test_other_specification_versions_are_refused(version: bytes) -> None:
    with pytest.raises(EnvelopeError, match="specversion"):
        decode(record(("ce_specversion", version)))


@pytest.mark.parametrize("key", [b"key", b"", b"\xff\xfe", None])
def test_record_key_does_not_become_part_of_the_event(key: bytes | None) -> None:
    assert decode(record(key=key)) == decode(record())


def test_partitionkey_becomes_the_record_key_only_on_demand() -> None:
    envelope = Envelope(id="1", source="/s", type="t", extensions={"partitionkey": "ö"})

    assert encode(envelope).key is None
    assert kafka.key_from_partitionkey(envelope) == "ö".encode()
    assert dict(encode(envelope, key=kafka.key_from_partitionkey(envelope)).headers)["ce_partitionkey"] == "ö".encode()
    assert kafka.key_from_partitionkey(EXPECTED) is None


def test_key_above_one_kibibyte_is_refused() -> None:
    with pytest.raises(EnvelopeError, match="key has 1025 bytes"):
        encode(EXPECTED, key=b"k" * 1025)


# ── what arrives in the wild ───────────────────────────────────────────────────────────────────────────────


def test_foreign_headers_are_not_looked_at() -> None:
    foreign = [
        ("traceparent", b"\xff"),
        ("", b"\x00"),
        ("x-any", b"\xfe\xff"),
        ("CE_ID", b"2"),
        ("ce-id", b"3"),
    ]

    assert decode(record(*foreign)) == decode(record())


@pytest.mark.parametrize("name", ["ce_", "ce_Any", "ce_my-ext", "ce_my_ext", "ce_é", "ce_data", "ce_datacontenttype"])
def test_malformed_extension_names_are_left_out(name: str) -> None:
    assert decode(record((name, b"x"))) == decode(record())


def test_unknown_extension_that_is_not_utf8_is_left_out() -> None:
    assert decode(record(("ce_any", b"\xff"))).extensions == {}


@pytest.mark.parametrize("name", ["ce_id", "ce_subject", "ce_time", "ce_agtargetkey", "content-type"])
def test_known_attribute_that_is_not_utf8_is_refused(name: str) -> None:
    with pytest.raises(EnvelopeError, match=f"{name}.*UTF-8"):
        decode(record((name, b"\xff")))


def test_of_a_repeated_header_the_last_one_counts() -> None:
    decoded = decode(record(("ce_any", b"first"), ("ce_any", b"second"), ("ce_id", b"2")))

    assert (decoded.id, decoded.extensions["any"]) == ("2", "second")


@pytest.mark.parametrize("raw", [b"a\x00b", b"a\nb", b"a\xef\xbf\xbe"])
def test_control_characters_in_an_attribute_are_refused(raw: bytes) -> None:
    with pytest.raises(EnvelopeError, match="subject"):
        decode(record(("ce_subject", raw)))


def test_counts_come_back_as_numbers() -> None:
    decoded = decode(record(("ce_aghops", b"3"), ("ce_agattempt", b"1"), ("ce_other", b"3")))

    assert decoded.extensions == {"aghops": 3, "agattempt": 1, "other": "3"}


@given(envelopes(extensions=typed_extensions))
def test_typed_extensions_come_back_as_canonical_text(envelope: Envelope) -> None:
    canonical = {True: "true", False: "false"}

    decoded = decode(encode(envelope)).extensions

    assert decoded == {
        name: value
        if isinstance(value, str)
        else canonical.get(value, str(value))
        if isinstance(value, bool)
        else str(value)
        for name, value in envelope.extensions.items()
    }


def test_event_in_an_unknown_format_is_read_from_its_headers() -> None:
    avro = b"\x00\x01\xff"

    decoded = decode(record(("content-type", b"application/cloudevents+avro"), value=avro))

    assert (decoded.data, decoded.datacontenttype) == (avro, "application/cloudevents+avro")


def test_event_in_an_unknown_format_without_headers_is_refused() -> None:
    with pytest.raises(EnvelopeError, match="id"):
        decode(KafkaMessage(None, b"\x00", (("content-type", b"application/cloudevents+avro"),)))


def test_protobuf_format_is_read() -> None:
    from agentopic.envelope import protobuf

    message = KafkaMessage(None, protobuf.dumps(EXPECTED), (("content-type", b"application/cloudevents+protobuf"),))

    assert decode(message) == EXPECTED


def test_batch_is_refused() -> None:
    with pytest.raises(EnvelopeError, match="batch"):
        decode(structured([EVENT], b"application/cloudevents-batch+json"))


@pytest.mark.parametrize("kind", [b"application/cloudevents+json", b"application/cloudevents+protobuf"])
def test_structured_record_without_value_is_refused(kind: bytes) -> None:
    with pytest.raises(EnvelopeError, match="no value"):
        decode(KafkaMessage(None, None, (("content-type", kind),)))


def test_protobuf_payload_stays_bytes() -> None:
    assert decode(record(("content-type", b"application/protobuf"), value=b"text")).data == b"text"


@pytest.mark.parametrize("name", ["x-any", "ce_any", "content-type", "ce_subject"])
def test_null_header_is_an_absent_one(name: str) -> None:
    assert decode_record([*REQUIRED, (name, None)], b"x") == decode(record())


def test_size_every_intermediary_must_carry_is_accepted() -> None:
    data = b"x" * 64 * 1024

    assert decode(encode(EXPECTED.replace(datacontenttype="text/plain", data=data))).data == data


# ── limits ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_size_is_checked_before_anything_is_parsed() -> None:
    not_an_event = KafkaMessage(b"k" * 10, b"{" * 90, (("content-type", b"application/cloudevents+json"),))

    with pytest.raises(EnvelopeTooLargeError, match="140 bytes, more than 139"):
        decode(not_an_event, max_bytes=139)
    with pytest.raises(EnvelopeError, match="not"):
        decode(not_an_event, max_bytes=140)


def test_headers_count_towards_the_size() -> None:
    with pytest.raises(EnvelopeTooLargeError):
        decode(record(("ce_any", b"x" * 1000)), max_bytes=1000)


def test_number_of_headers_is_limited() -> None:
    with pytest.raises(EnvelopeTooLargeError, match="headers"):
        decode(record(*(("x", b"") for _ in range(300))))


# ── robustness ─────────────────────────────────────────────────────────────────────────────────────────────

_WILD_NAMES = (
    st.sampled_from(
        [
            "content-type",
            "ce_id",
            "ce_source",
            "ce_type",
            "ce_time",
            "ce_specversion",
            "ce_aghops",
            "ce_expirytime",
        ]
    )
    | names.map("ce_{}".format)
    | st.text(max_size=10)
)
_WILD_VALUES = st.binary(max_size=30) | st.sampled_from(
    [
        b"1.0",
        b"application/cloudevents+json",
        b"application/cloudevents+protobuf",
        b"application/cloudevents+x",
        b"text/plain",
    ]
)
_WILD_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.lists(st.tuples(_WILD_NAMES, _WILD_VALUES), max_size=12),
    st.none() | st.binary(max_size=60),
    st.booleans(),
)
def test_only_envelope_errors_escape_from_random_records(
    headers: list[tuple[str, bytes]], value: bytes | None, complete: bool
) -> None:
    decoded = outcome(lambda: decode_record([*REQUIRED, *headers] if complete else headers, value))

    assert isinstance(decoded, str) or decode(encode(decoded)) == decoded


@given(
    st.dictionaries(st.sampled_from(sorted(EVENT)) | st.text(max_size=6), _WILD_JSON, max_size=8),
    st.booleans(),
)
def test_only_envelope_errors_escape_from_random_json_events(event: dict[str, object], complete: bool) -> None:
    decoded = outcome(lambda: decode(structured({**EVENT, **event} if complete else event)))

    assert isinstance(decoded, str) or decode(encode(decoded, mode=ContentMode.STRUCTURED)) == decoded


# ── the source of the topic ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("changes", "key", "expected"),
    [
        ({"subject": "s", "extensions": {"agtopicsource": "a"}}, b"k", "a"),
        ({"subject": "s", "extensions": {"agtopicsource": ""}}, b"k", ""),
        ({"subject": "s"}, b"k", "s"),
        ({}, "ké".encode(), "ké"),
        ({}, b"\x00\x01", "0x0001"),
        ({}, b"\xff", "0xff"),
        ({}, b"", "1"),
        ({}, None, "1"),
    ],
)
def test_topic_source_is_found_without_our_extensions(
    changes: dict[str, object], key: bytes | None, expected: str
) -> None:
    envelope = Envelope(id="1", source="/s", type="t", **changes)  # pyright: ignore[reportArgumentType]

    assert kafka.topic_source(envelope, key) == expected


def test_key_that_is_needed_and_too_long_is_refused() -> None:
    envelope = Envelope(id="1", source="/s", type="t")

    with pytest.raises(EnvelopeError, match="key"):
        kafka.topic_source(envelope, b"k" * 1025)
    assert kafka.topic_source(envelope.replace(subject="s"), b"k" * 1025) == "s"


@given(envelopes(), st.sampled_from(list(ContentMode)))
def test_a_record_kept_since_it_was_decoded_gives_the_same_event(envelope: Envelope, mode: ContentMode) -> None:
    message = kafka.encode(envelope, mode=mode)

    assert kafka.restore_record(message.headers, message.value) == kafka.decode(message, max_bytes=10**9)


def test_of_a_repeated_header_the_last_one_counts_in_a_kept_record_too() -> None:
    headers = (*REQUIRED, ("ce_subject", b"first"), ("ce_aghops", b"1"), ("ce_subject", b"last"), ("ce_aghops", b"07"))

    restored = kafka.restore_record(headers, None)

    assert (restored.subject, restored.aghops) == ("last", 7)
    assert restored == kafka.decode_record(headers, None)
