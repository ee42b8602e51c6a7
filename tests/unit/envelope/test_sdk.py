"""The cloudevents SDK: conversion, and the oracle of our bindings where it is right."""

from __future__ import annotations

import json as plain_json
import sys
from datetime import UTC, datetime

import pytest
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings import http as sdk_http
from cloudevents.core.bindings import kafka as sdk_kafka
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from agentopic.envelope import Envelope, http, json, kafka
from agentopic.errors import EnvelopeError, MissingExtraError

from .strategies import envelopes, texts, times

# The SDK invents a time where an event has none, so the common ground is events that have one.
happy = envelopes(
    extensions=st.dictionaries(st.sampled_from(["comexample", "correlationid", "sequence"]), texts, max_size=3),
    data=st.binary(min_size=1, max_size=80),
)
timed = st.builds(lambda envelope, time: envelope.replace(time=time), happy, times)


@given(envelopes())
def test_conversion_keeps_every_event(envelope: Envelope) -> None:
    assert Envelope.from_sdk(envelope.to_sdk()) == envelope


def test_data_of_the_sdk_becomes_bytes() -> None:
    attributes = {"id": "1", "source": "/s", "type": "t", "specversion": "1.0"}

    as_object = Envelope.from_sdk(CloudEvent(dict(attributes), {"a": "é"}))
    as_text = Envelope.from_sdk(CloudEvent({**attributes, "datacontenttype": "text/plain"}, "é"))
    as_json_text = Envelope.from_sdk(CloudEvent({**attributes, "datacontenttype": "application/json"}, "é"))

    assert (as_object.data, as_object.datacontenttype) == ('{"a": "é"}'.encode(), "application/json")
    assert as_text.data == "é".encode()
    assert as_json_text.data == '"é"'.encode()


def test_extension_of_the_sdk_that_is_a_time_becomes_text() -> None:
    event = CloudEvent({"id": "1", "source": "/s", "type": "t", "expirytime": datetime(2030, 1, 1, tzinfo=UTC)})

    assert Envelope.from_sdk(event).extensions["expirytime"] == "2030-01-01T00:00:00Z"


def test_data_of_the_sdk_that_cannot_be_serialized_is_refused() -> None:
    event = CloudEvent({"id": "1", "source": "/s", "type": "t"}, {"a": object()})

    with pytest.raises(EnvelopeError, match="serialized"):
        Envelope.from_sdk(event)


def test_missing_sdk_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cloudevents.core.v1.event", None)

    with pytest.raises(MissingExtraError, match=r"agentopic\[cloudevents\]"):
        Envelope(id="1", source="/s", type="t").to_sdk()


def as_sdk_message(message: kafka.KafkaMessage) -> sdk_kafka.KafkaMessage:
    return sdk_kafka.KafkaMessage(headers=dict(message.headers), key=None, value=message.value or b"")


@given(timed)
def test_sdk_reads_our_binary_records(envelope: Envelope) -> None:
    event = sdk_kafka.from_binary_event(as_sdk_message(kafka.encode(envelope)))

    assert attributes_of(event) == attributes_of(envelope.to_sdk())


@given(timed)
def test_we_read_the_binary_records_of_the_sdk(envelope: Envelope) -> None:
    message = sdk_kafka.to_binary_event(envelope.to_sdk())

    assert kafka.decode_record(list(message.headers.items()), message.value) == envelope


@given(timed)
def test_binary_records_of_both_are_the_same(envelope: Envelope) -> None:
    ours, theirs = kafka.encode(envelope), sdk_kafka.to_binary_event(envelope.to_sdk())

    assert (dict(ours.headers), ours.value) == (theirs.headers, theirs.value)


@given(timed)
def test_sdk_reads_our_structured_events(envelope: Envelope) -> None:
    event = JSONFormat().read(None, json.dumps(envelope))

    assert attributes_of(event) == attributes_of(envelope.to_sdk())


@given(timed)
def test_we_read_the_structured_events_of_the_sdk(envelope: Envelope) -> None:
    assert json.loads(JSONFormat().write(envelope.to_sdk())) == envelope


@given(timed)
def test_we_read_the_binary_requests_of_the_sdk(envelope: Envelope) -> None:
    message = sdk_http.to_binary_event(envelope.to_sdk())

    assert http.decode(message.headers.items(), message.body) == envelope


@given(timed)
def test_sdk_reads_our_binary_requests(envelope: Envelope) -> None:
    message = http.encode(envelope)

    event = sdk_http.from_binary_event(sdk_http.HTTPMessage(headers=dict(message.headers), body=message.body))

    assert attributes_of(event) == attributes_of(envelope.to_sdk())


def test_json_data_is_the_same_value_to_both() -> None:
    envelope = Envelope(id="1", source="/s", type="t", datacontenttype="application/json", data=b'{"a":[1,2.50]}')

    event = JSONFormat().read(None, json.dumps(envelope))

    assert event.get_data() == plain_json.loads(envelope.data or b"")


def attributes_of(event: BaseCloudEvent) -> dict[str, object]:
    return dict(event.get_attributes())
