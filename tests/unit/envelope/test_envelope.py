"""What an Envelope guarantees, whatever binding it came by."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentopic.envelope import Envelope
from agentopic.envelope.attributes import KNOWN_EXTENSIONS
from agentopic.errors import EnvelopeError

from .outcomes import outcome
from .strategies import envelopes


def make(**changes: object) -> Envelope:
    return Envelope(**{"id": "1", "source": "/s", "type": "t", **changes})  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("name", ["id", "source", "type", "subject", "dataschema", "datacontenttype", "specversion"])
def test_empty_attribute_is_refused(name: str) -> None:
    with pytest.raises(EnvelopeError, match=name):
        make(**{name: ""})


@pytest.mark.parametrize("name", ["id", "source", "type", "subject", "dataschema"])
@pytest.mark.parametrize(
    "bad", ["a\x00b", "a\nb", "a\x7fb", "a\x85b", "a\ud800b", "a\ufffeb", "a\U0001ffffb", "\ufdd0"]
)
def test_text_that_cloudevents_excludes_is_refused(name: str, bad: str) -> None:
    with pytest.raises(EnvelopeError, match=rf"{name}.*U\+"):
        make(**{name: bad})


@pytest.mark.parametrize("text", ["é", "漢字", "😀", "a b", "\u00a0", "\ue000", "%", '"'])
def test_every_other_text_is_accepted(text: str) -> None:
    envelope = make(id=text, subject=text, extensions={"any": text})

    assert (envelope.id, envelope.subject, envelope.extensions["any"]) == (text, text, text)


@pytest.mark.parametrize("name", ["id", "source", "subject"])
def test_identity_is_limited_to_one_kibibyte_of_utf8(name: str) -> None:
    assert getattr(make(**{name: "é" * 512}), name) == "é" * 512
    with pytest.raises(EnvelopeError, match=f"{name}.*1026 bytes"):
        make(**{name: "é" * 513})


def test_agent_keys_are_limited_like_identity() -> None:
    with pytest.raises(EnvelopeError, match="agtargetkey"):
        make(extensions={"agtargetkey": "k" * 1025})


def test_other_attributes_may_be_longer() -> None:
    envelope = make(extensions={"tracestate": "x" * 65536})

    assert len(envelope.tracestate or "") == 65536
    with pytest.raises(EnvelopeError, match="tracestate"):
        make(extensions={"tracestate": "x" * 65537})


@pytest.mark.parametrize("name", ["", "Upper", "with-dash", "with_underscore", "a.b", "é", "id", "data", "specversion"])
def test_extension_name_outside_of_the_specification_is_refused(name: str) -> None:
    with pytest.raises(EnvelopeError, match="extension name"):
        make(extensions={name: "x"})


@pytest.mark.parametrize("value", [1.5, None, ["a"], {"a": 1}, datetime.now(UTC), 2**31, -(2**31) - 1])
def test_extension_value_outside_of_the_type_system_is_refused(value: object) -> None:
    with pytest.raises(EnvelopeError, match="extension 'any'"):
        make(extensions={"any": value})


@pytest.mark.parametrize("value", [0, 2**31 - 1, -(2**31), True, False, b"\x00", "", "text"])
def test_extension_value_of_the_type_system_is_kept(value: object) -> None:
    kept = make(extensions={"any": value}).extensions["any"]

    assert (kept, type(kept)) == (value, type(value))


@pytest.mark.parametrize("value", ["", "one", "1.0", "99999999999", "2147483648", "٣", True, 1.0])
def test_count_that_is_no_integer_is_refused(value: object) -> None:
    with pytest.raises(EnvelopeError, match="aghops"):
        make(extensions={"aghops": value})


def test_count_given_as_text_becomes_a_number() -> None:
    envelope = make(extensions={"aghops": "7", "agattempt": 2})

    assert (envelope.aghops, envelope.agattempt, envelope.agredrive) == (7, 2, 0)


@pytest.mark.parametrize("name", sorted(KNOWN_EXTENSIONS - {"agattempt", "agredrive", "aghops"}))
def test_published_text_extension_must_be_text(name: str) -> None:
    with pytest.raises(EnvelopeError, match=f"{name}.*string"):
        make(extensions={name: 1})


@pytest.mark.parametrize("name", sorted(KNOWN_EXTENSIONS))
def test_every_published_extension_has_an_accessor(name: str) -> None:
    value = {"agattempt": 3, "agredrive": 3, "aghops": 3, "expirytime": "2030-01-01T00:00:00Z"}.get(name, "x")
    expected = datetime(2030, 1, 1, tzinfo=UTC) if name == "expirytime" else value

    assert getattr(make(extensions={name: value}), name) == expected
    assert getattr(make(), name) in (None, 0)


def test_expirytime_must_be_a_time() -> None:
    with pytest.raises(EnvelopeError, match="expirytime"):
        make(extensions={"expirytime": "soon"})


@pytest.mark.parametrize("content_type", ["json", "application/", "/json", "a b/c", "application/json\n"])
def test_datacontenttype_must_be_a_media_type(content_type: str) -> None:
    with pytest.raises(EnvelopeError, match="datacontenttype"):
        make(datacontenttype=content_type)


@pytest.mark.parametrize("content_type", ["application/vnd.a+json; charset=utf-8", 'text/x; a="b;c"', "A/B"])
def test_any_media_type_is_accepted(content_type: str) -> None:
    assert make(datacontenttype=content_type).datacontenttype == content_type


def test_time_without_zone_is_refused() -> None:
    with pytest.raises(EnvelopeError, match="time zone"):
        make(time=datetime(2024, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("field", "value"),
    [("id", 5), ("data", "text"), ("time", "2024"), ("subject", b"x"), ("datacontenttype", 5)],
)
def test_field_of_another_type_is_refused(field: str, value: object) -> None:
    with pytest.raises(EnvelopeError, match=field):
        make(**{field: value})


def test_only_version_one_is_understood() -> None:
    with pytest.raises(EnvelopeError, match=r"0\.3"):
        make(specversion="0.3")


def test_envelope_cannot_be_changed() -> None:
    given_extensions = {"any": "x"}
    envelope = make(extensions=given_extensions)

    given_extensions["any"] = "y"

    assert envelope.extensions == {"any": "x"}
    with pytest.raises(dataclasses.FrozenInstanceError):
        envelope.id = "2"  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(TypeError):
        envelope.extensions["any"] = "y"  # pyright: ignore[reportIndexIssue]


@given(envelopes())
def test_copies_are_equal(envelope: Envelope) -> None:
    twins = [
        copy.copy(envelope),
        copy.deepcopy(envelope),
        pickle.loads(pickle.dumps(envelope)),
        envelope.replace(),
    ]

    assert all(twin == envelope and hash(twin) == hash(envelope) for twin in twins)


FIELDS = [each.name for each in dataclasses.fields(Envelope)]


@given(envelopes(), envelopes(), st.sampled_from(FIELDS))
def test_equality_is_by_value(one: Envelope, other: Envelope, name: str) -> None:
    mixed = one.replace(**{name: getattr(other, name)})

    assert (mixed == one) == (getattr(one, name) == getattr(other, name))
    assert all(getattr(one, each) == getattr(mixed, each) for each in FIELDS if each != name)


def test_representation_leaves_the_payload_out() -> None:
    assert "secret" not in repr(make(data=b"secret"))


def test_replace_checks_the_result() -> None:
    envelope = make(subject="a")

    assert envelope.replace(subject="b").subject == "b"
    with pytest.raises(EnvelopeError, match="subject"):
        envelope.replace(subject="")


def test_with_extensions_sets_and_removes() -> None:
    envelope = make(extensions={"one": "1", "two": "2"})

    changed = envelope.with_extensions(two=None, aghops=1)

    assert changed.extensions == {"one": "1", "aghops": 1}
    assert envelope.extensions == {"one": "1", "two": "2"}


@given(st.text(max_size=300))
def test_a_text_is_accepted_or_refused_with_a_reason(text: str) -> None:
    made = outcome(lambda: make(subject=text))

    assert made.isprintable() if isinstance(made, str) else made.subject == text


def test_time_is_compared_by_instant() -> None:
    noon = datetime(2024, 1, 1, 12, tzinfo=UTC)

    assert make(time=noon) == make(time=noon.astimezone(tz=None)) == make(time=noon + timedelta(0))
