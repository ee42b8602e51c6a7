"""The protobuf event format, as AutoGen workers speak it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from agentopic._proto.agent_worker_pb2 import Message, RpcRequest
from agentopic._proto.cloudevent_pb2 import CloudEvent
from agentopic.envelope import Envelope, protobuf
from agentopic.errors import EnvelopeError, EnvelopeTooLargeError

from .outcomes import outcome
from .strategies import envelopes, typed_extensions


def packed(message: Duration) -> bytes:
    wrapper = AnyMessage()
    wrapper.Pack(message)
    return wrapper.SerializeToString()


@given(envelopes(extensions=typed_extensions))
def test_every_event_survives_the_round_trip(envelope: Envelope) -> None:
    restored = protobuf.loads(protobuf.dumps(envelope))

    assert restored == envelope
    assert {name: type(value) for name, value in restored.extensions.items()} == {
        name: type(value) for name, value in envelope.extensions.items()
    }


def test_bytes_extension_stays_bytes() -> None:
    envelope = Envelope(id="1", source="/s", type="t", extensions={"raw": b"\x00\xff"})

    assert protobuf.from_proto(protobuf.to_proto(envelope)) == envelope


def test_json_event_looks_as_autogen_sends_it() -> None:
    envelope = Envelope(
        id="1",
        source="default",
        type="task",
        datacontenttype="application/json",
        dataschema="Task",
        data=b"{}",
        extensions={"agagentsendertype": "a", "agagentsenderkey": "k", "agmsgkind": "publish"},
    )

    message = protobuf.to_proto(envelope)

    assert (message.id, message.source, message.type, message.spec_version) == ("1", "default", "task", "1.0")
    assert message.WhichOneof("data") == "binary_data"
    assert {name: value.WhichOneof("attr") for name, value in message.attributes.items()} == dict.fromkeys(
        ["datacontenttype", "dataschema", "agagentsendertype", "agagentsenderkey", "agmsgkind"], "ce_string"
    )


@pytest.mark.parametrize("schema", [None, "google.protobuf.Duration", "https://example.com/duration/v1"])
def test_packed_payload_travels_as_proto_data(schema: str | None) -> None:
    envelope = Envelope(
        id="1",
        source="/s",
        type="t",
        datacontenttype="application/x-protobuf",
        dataschema=schema,
        data=packed(Duration(seconds=3)),
    )

    message = protobuf.to_proto(envelope)
    unpacked = Duration()

    assert message.WhichOneof("data") == "proto_data"
    assert message.proto_data.Unpack(unpacked)
    assert unpacked.seconds == 3
    assert protobuf.from_proto(message) == envelope


@pytest.mark.parametrize("data", [b"\xff", b"", b"\x08\x03", packed(Duration(seconds=3)) + b"\x18\x01"])
def test_protobuf_payload_that_is_not_packed_stays_as_it_is(data: bytes) -> None:
    envelope = Envelope(id="1", source="/s", type="t", datacontenttype="application/x-protobuf", data=data)

    assert protobuf.loads(protobuf.dumps(envelope)) == envelope


@given(st.binary(max_size=60), st.sampled_from([None, "a.B", "google.protobuf.Duration"]))
def test_no_protobuf_payload_is_changed(data: bytes, schema: str | None) -> None:
    envelope = Envelope(
        id="1", source="/s", type="t", datacontenttype="application/x-protobuf", dataschema=schema, data=data
    )

    assert protobuf.loads(protobuf.dumps(envelope)) == envelope


def test_missing_version_is_taken_as_one() -> None:
    message = CloudEvent(id="1", source="default", type="task")

    assert protobuf.from_proto(message).specversion == "1.0"


def test_text_data_is_utf8() -> None:
    message = CloudEvent(id="1", source="/s", type="t", spec_version="1.0", text_data="é")

    assert protobuf.from_proto(message).data == "é".encode()


def test_every_attribute_kind_is_read() -> None:
    message = CloudEvent(id="1", source="/s", type="t", spec_version="1.0")
    message.attributes["dataschema"].ce_uri = "https://example.com"
    message.attributes["subject"].ce_uri_ref = "/ref"
    message.attributes["time"].ce_timestamp.FromDatetime(datetime(2024, 1, 1))  # noqa: DTZ001
    message.attributes["expirytime"].ce_timestamp.FromDatetime(datetime(2025, 1, 1))  # noqa: DTZ001
    message.attributes["flag"].ce_boolean = True
    message.attributes["aghops"].ce_integer = 2
    message.attributes["raw"].ce_bytes = b"\x00"
    message.attributes["empty"].SetInParent()

    decoded = protobuf.from_proto(message)

    assert (decoded.dataschema, decoded.subject) == ("https://example.com", "/ref")
    assert (decoded.time, decoded.expirytime) == (
        datetime(2024, 1, 1, tzinfo=UTC),
        datetime(2025, 1, 1, tzinfo=UTC),
    )
    assert (decoded.extensions["flag"], decoded.aghops, decoded.extensions["raw"]) == (True, 2, b"\x00")
    assert "empty" not in decoded.extensions


def test_time_sent_as_text_is_read() -> None:
    message = CloudEvent(id="1", source="/s", type="t", spec_version="1.0")
    message.attributes["time"].ce_string = "2024-01-01T00:00:00Z"

    assert protobuf.from_proto(message).time == datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("name", ["id", "source", "specversion", "type"])
def test_required_attribute_in_the_map_is_refused(name: str) -> None:
    message = CloudEvent(id="1", source="/s", type="t", spec_version="1.0")
    message.attributes[name].ce_string = "x"

    with pytest.raises(EnvelopeError, match=name):
        protobuf.from_proto(message)


@pytest.mark.parametrize("seconds", [2**62, -(2**62), 253402300800])
def test_time_out_of_range_is_refused(seconds: int) -> None:
    message = CloudEvent(id="1", source="/s", type="t", spec_version="1.0")
    message.attributes["time"].ce_timestamp.seconds = seconds

    with pytest.raises(EnvelopeError, match="time"):
        protobuf.from_proto(message)


def test_text_attribute_of_another_type_is_refused() -> None:
    message = CloudEvent(id="1", source="/s", type="t", spec_version="1.0")
    message.attributes["subject"].ce_integer = 5

    with pytest.raises(EnvelopeError, match="subject"):
        protobuf.from_proto(message)


def test_incomplete_message_is_refused() -> None:
    with pytest.raises(EnvelopeError, match="id"):
        protobuf.from_proto(CloudEvent(source="/s", type="t"))


def test_size_is_checked_before_parsing() -> None:
    with pytest.raises(EnvelopeTooLargeError):
        protobuf.loads(b"\xff" * 11, max_bytes=10)


@given(st.binary(max_size=120))
def test_only_envelope_errors_escape(raw: bytes) -> None:
    outcome(lambda: protobuf.loads(raw))


def test_worker_messages_carry_events_and_requests() -> None:
    event = protobuf.to_proto(Envelope(id="1", source="/s", type="t"))
    request = RpcRequest(request_id="r")

    assert Message.FromString(Message(cloudEvent=event).SerializeToString()).cloudEvent.id == "1"
    assert not request.HasField("source")
    assert Message(request=request).WhichOneof("message") == "request"


def test_contracts_share_no_pool_with_other_packages() -> None:
    from google.protobuf import descriptor_pool

    with pytest.raises(KeyError):
        descriptor_pool.Default().FindMessageTypeByName("io.cloudevents.v1.CloudEvent")
    assert Timestamp.DESCRIPTOR.file.pool is descriptor_pool.Default()
