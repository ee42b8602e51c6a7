"""The JSON event format: conformance cases, exact data, hostile input."""

from __future__ import annotations

import json as plain_json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from agentopic.envelope import Envelope, json
from agentopic.envelope.json_text import MAX_DEPTH
from agentopic.errors import EnvelopeError, EnvelopeTooLargeError

from .outcomes import outcome
from .strategies import envelopes, media_types, typed_extensions

BASE = {"specversion": "1.0", "id": "1", "type": "io.test", "source": "https://example.com"}

# The rules of the JSON event format, section 2 and 3, as a schema.
_TEXT = {"type": "string", "minLength": 1}
SCHEMA = Draft202012Validator(
    {
        "type": "object",
        "required": ["specversion", "id", "type", "source"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": _TEXT,
            "type": _TEXT,
            "source": _TEXT,
            "subject": _TEXT,
            "dataschema": _TEXT,
            "datacontenttype": {"type": "string", "pattern": "^[^/]+/[^/]+"},
            "time": {
                "type": "string",
                "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$",
            },
            "data": {},
            "data_base64": {"type": "string", "contentEncoding": "base64"},
        },
        "patternProperties": {
            "^(?!data$)[a-z0-9]+$": {
                "type": ["string", "boolean", "integer"],
                "minimum": -(2**31),
                "maximum": 2**31 - 1,
            }
        },
        "unevaluatedProperties": False,
        "not": {"required": ["data", "data_base64"]},
    }
)


def event(**members: object) -> bytes:
    return plain_json.dumps({**BASE, **members}).encode()


@given(envelopes(extensions=typed_extensions))
def test_emitted_events_obey_the_format(envelope: Envelope) -> None:
    SCHEMA.validate(plain_json.loads(json.dumps(envelope)))


@given(envelopes(extensions=typed_extensions, data=st.none()))
def test_attributes_survive_the_round_trip_with_their_types(envelope: Envelope) -> None:
    restored = json.loads(json.dumps(envelope))

    assert restored == envelope
    assert {name: type(value) for name, value in restored.extensions.items()} == {
        name: type(value) for name, value in envelope.extensions.items()
    }


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(json_values, st.booleans())
def test_json_data_keeps_its_bytes(value: object, ascii_only: bool) -> None:
    data = plain_json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    envelope = Envelope(id="1", source="/s", type="t", datacontenttype="application/json", data=data)

    assert json.loads(json.dumps(envelope)).data == data


@given(st.binary(max_size=100), st.none() | media_types)
def test_any_data_survives_the_round_trip(data: bytes, content_type: str | None) -> None:
    envelope = Envelope(id="1", source="/s", type="t", datacontenttype=content_type, data=data)

    restored = json.loads(json.dumps(envelope))

    if content_type is not None and "json" in content_type:
        assert (restored.data or b"").strip(b" \t\r\n") == data.strip(b" \t\r\n")
    else:
        assert restored == envelope


@pytest.mark.parametrize("number", ["1.0", "1e400", "0.10", "-0", "123456789012345678901234567890", "1E+2", "9" * 5000])
def test_numbers_in_data_are_not_rewritten(number: str) -> None:
    raw = b'{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{"n": %s }}' % number.encode()

    decoded = json.loads(raw)

    assert decoded.data == b'{"n": %s }' % number.encode()
    assert json.loads(json.dumps(decoded)).data == decoded.data


@pytest.mark.parametrize(
    ("content_type", "data", "member"),
    [
        ("application/json", b'{"a":1}', "data"),
        ("application/vnd.x+json; v=1", b"[1]", "data"),
        ("text/json", b"null", "data"),
        ("application/json", b"{broken", "data_base64"),
        ("application/json", b"NaN", "data_base64"),
        ("application/json", b"", "data_base64"),
        ("application/json", b"\xff", "data_base64"),
        ("application/json", b"[" * 200 + b"]" * 200, "data_base64"),
        ("application/json", b"1 2", "data_base64"),
        ("text/plain", "é".encode(), "data"),
        ("text/plain; charset=latin-1", b"abc", "data_base64"),
        ("application/xml", b"<a/>", "data"),
        ("image/png", b"abc", "data_base64"),
        (None, b'{"a":1}', "data_base64"),
    ],
)
def test_member_follows_from_type_and_content(content_type: str | None, data: bytes, member: str) -> None:
    emitted = json.dumps(Envelope(id="1", source="/s", type="t", datacontenttype=content_type, data=data))

    assert {"data", "data_base64"} & plain_json.loads(emitted).keys() == {member}
    assert json.loads(emitted).data == data


def test_no_data_has_no_member() -> None:
    emitted = plain_json.loads(json.dumps(Envelope(id="1", source="/s", type="t")))

    assert emitted == {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}


def test_implied_json_type_is_made_explicit() -> None:
    decoded = json.loads(event(data="I'm just a string"))

    assert (decoded.datacontenttype, decoded.data) == ("application/json", b'"I\'m just a string"')


def test_json_string_is_not_taken_for_a_document() -> None:
    decoded = json.loads(event(datacontenttype="application/json", data='{"a":1}'))

    assert decoded.data == b'"{\\"a\\":1}"'


def test_null_data_is_a_payload_of_its_own_only_in_json() -> None:
    assert json.loads(event(data=None)).data == b"null"
    assert json.loads(event(data=None, datacontenttype="text/plain")).data is None
    assert json.loads(event(data_base64=None)).data is None


def test_text_data_is_encoded_as_its_type_declares() -> None:
    assert json.loads(event(datacontenttype="text/plain; charset=latin-1", data="é")).data == b"\xe9"
    assert json.loads(event(datacontenttype='text/plain; charset="utf-16-be"', data="é")).data == b"\x00\xe9"


@pytest.mark.parametrize("name", ["datacontenttype", "dataschema", "subject", "time", "any"])
def test_null_attribute_is_an_absent_one(name: str) -> None:
    assert json.loads(event(**{name: None})) == json.loads(event())


def test_extension_types_are_kept() -> None:
    decoded = json.loads(event(extinteger=10, extboolean=True, extstring="text", extbinary="TWE=", aghops="4"))

    assert decoded.extensions == {
        "extinteger": 10,
        "extboolean": True,
        "extstring": "text",
        "extbinary": "TWE=",
        "aghops": 4,
    }


@pytest.mark.parametrize("name", sorted(BASE))
@pytest.mark.parametrize("value", ["", None, 25, {"a": 1}, ["x"], True])
def test_required_attribute_that_is_no_text_is_refused(name: str, value: object) -> None:
    with pytest.raises(EnvelopeError, match=name):
        json.loads(event(**{name: value}))


@pytest.mark.parametrize("name", sorted(BASE))
def test_missing_required_attribute_is_refused(name: str) -> None:
    members = {key: value for key, value in BASE.items() if key != name}

    with pytest.raises(EnvelopeError, match=name):
        json.loads(plain_json.dumps(members).encode())


@pytest.mark.parametrize(
    "members",
    [
        {"specversion": "0.9"},
        {"time": "lunchtime"},
        {"time": "2018-04-05T18:31Z"},
        {"time": 5},
        {"datacontenttype": "xyz"},
        {"datacontenttype": ""},
        {"dataschema": ""},
        {"subject": ""},
        {"MyExtension": "bad"},
        {"my.extension": "bad"},
        {"ext": 1.5},
        {"ext": 1e400},
        {"ext": 2**31},
        {"ext": 10**30},
        {"ext": {"a": 1}},
        {"ext": [1]},
        {"ext": "\ud800"},
        {"\ud800": "x"},
        {"data": "text", "data_base64": "eyAieHl6IjogMTIzIH0="},
        {"data_base64": "%%%"},
        {"data_base64": "é"},
        {"data_base64": 5},
        {"datacontenttype": "text/plain", "data": {"a": 1}},
        {"datacontenttype": "text/plain; charset=nonsense", "data": "x"},
        {"datacontenttype": "text/plain; charset=ascii", "data": "é"},
        {"datacontenttype": "text/plain", "data": "\ud800"},
    ],
)
def test_invalid_event_is_refused(members: dict[str, object]) -> None:
    with pytest.raises(EnvelopeError):
        json.loads(event(**members))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"5",
        b'"x"',
        b"{",
        b"{}",
        b'{"id"}',
        b'{"id":}',
        b'{"id":1,}',
        b"{1:2}",
        b'{"id":"1"} x',
        b"\xff",
        b"{'id':'1'}",
        b'{"a":NaN}',
        b'{"a":tru}',
        b"\xef\xbb\xbf{}",
        b'{"a":"\x01"}',
    ],
)
def test_anything_but_one_object_is_refused(raw: bytes) -> None:
    with pytest.raises(EnvelopeError):
        json.loads(raw)


def test_member_that_occurs_twice_is_refused() -> None:
    with pytest.raises(EnvelopeError, match="twice"):
        json.loads(event()[:-1] + b',"id":"2"}')


def test_white_space_between_members_is_allowed() -> None:
    spaced = plain_json.dumps(plain_json.loads(event(data={"a": [1]})), indent=3).encode()

    assert json.loads(b" \r\n" + spaced + b"\t ") == json.loads(event(data={"a": [1]})).replace(
        data=b'{\n      "a": [\n         1\n      ]\n   }'
    )


@pytest.mark.parametrize("bracket", [(b"[", b"]"), (b'{"a":', b"}")])
def test_depth_is_limited_before_parsing(bracket: tuple[bytes, bytes]) -> None:
    def nested(depth: int) -> bytes:
        inner = bracket[0] * depth + b"1" + bracket[1] * depth
        return event()[:-1] + b',"data":' + inner + b"}"

    assert json.loads(nested(MAX_DEPTH - 1)).data
    for depth in (MAX_DEPTH, 100_000):
        with pytest.raises(EnvelopeError, match="levels"):
            json.loads(nested(depth))


def test_brackets_in_text_are_no_depth() -> None:
    assert json.loads(event(data='["\\[{' * 1000)).data


def test_size_is_checked_before_parsing() -> None:
    with pytest.raises(EnvelopeTooLargeError):
        json.loads(b"{" * 11, max_bytes=10)
    with pytest.raises(EnvelopeTooLargeError):
        json.loads_batch(b"{" * 11, max_bytes=10)


@given(st.lists(envelopes(extensions=typed_extensions, data=st.none()), max_size=4))
def test_batch_survives_the_round_trip(batch: list[Envelope]) -> None:
    assert json.loads_batch(json.dumps_batch(batch)) == batch


@pytest.mark.parametrize("raw", [b"", b"{}", b"[", b"[1]", b"[{}]", b"[,]", b"[] x", b"[null]"])
def test_invalid_batch_is_refused(raw: bytes) -> None:
    with pytest.raises(EnvelopeError):
        json.loads_batch(raw)


def test_batch_with_one_bad_event_is_refused() -> None:
    with pytest.raises(EnvelopeError):
        json.loads_batch(b"[" + event() + b", " + event(id="") + b"]")


def test_batch_may_be_spaced() -> None:
    assert len(json.loads_batch(b" [ " + event() + b" , " + event() + b" ] ")) == 2
    assert json.loads_batch(b" [ ] ") == []


@given(st.binary(max_size=80) | st.text(alphabet='{}[]",:\\ 1eE.-+nulltrue\n', max_size=60).map(str.encode))
def test_only_envelope_errors_escape(raw: bytes) -> None:
    outcome(lambda: json.loads(raw))
    outcome(lambda: json.loads_batch(raw))


def test_long_invalid_text_is_refused_quickly() -> None:
    for hostile in (
        b'"' + b"\\" * 200_000,
        b'["' * 100_000,
        b"{" + b" " * 200_000,
        b'"' * 200_001,
        b'"[' + b'\\"[' * 200_000,
    ):
        with pytest.raises(EnvelopeError):
            json.loads(hostile)
