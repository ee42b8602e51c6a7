"""The protobuf event format (`io.cloudevents.v1`), with the conventions of AutoGen's worker protocol.

A payload of type `application/x-protobuf` is, in an envelope, a serialized `google.protobuf.Any`: that is
what AutoGen's serializers write and read. On the wire it stands in `proto_data`; other data in `binary_data`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError

from agentopic._proto.cloudevent_pb2 import CloudEvent
from agentopic.envelope.attributes import CORE, MAX_EVENT_BYTES, SPECVERSION
from agentopic.envelope.envelope import Envelope
from agentopic.envelope.timestamp import format_time, parse_time
from agentopic.envelope.validation import ExtensionValue
from agentopic.errors import EnvelopeError, EnvelopeTooLargeError

MEDIA_TYPE: Final = "application/cloudevents+protobuf"
PROTOBUF_DATA: Final = "application/x-protobuf"

_TYPE_HOST: Final = "type.googleapis.com"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_OPTIONAL_TEXT: Final = ("subject", "datacontenttype", "dataschema")


def to_proto(envelope: Envelope) -> CloudEvent:
    """Return the event as a message; text attributes are strings, `time` is a timestamp."""
    message = CloudEvent(id=envelope.id, source=envelope.source, type=envelope.type, spec_version=envelope.specversion)
    for name in _OPTIONAL_TEXT:
        if (text := getattr(envelope, name)) is not None:
            message.attributes[name].ce_string = text
    if envelope.time is not None:
        since = envelope.time - _EPOCH
        timestamp = message.attributes["time"].ce_timestamp
        timestamp.seconds, micros = divmod(since // timedelta(microseconds=1), 1_000_000)
        timestamp.nanos = micros * 1000
    for name, value in envelope.extensions.items():
        _set(message.attributes[name], value)
    if envelope.data is not None:
        _set_data(message, envelope.data, envelope)
    return message


def from_proto(message: CloudEvent) -> Envelope:
    """Return the event of a message; one that names no version is taken as 1.0, as .NET workers send it.

    Raises:
        EnvelopeError: the message is no valid CloudEvent.
    """
    values = {name: _value(name, value) for name, value in message.attributes.items()}
    text = {name: _text(name, values.pop(name, None)) for name in (*_OPTIONAL_TEXT, "time")}
    if twice := values.keys() & CORE:
        raise EnvelopeError(f"attributes {sorted(twice)} must be fields of the message, not entries of the map")
    time = text.pop("time")
    return Envelope(
        id=message.id,
        source=message.source,
        type=message.type,
        specversion=message.spec_version or SPECVERSION,
        time=None if time is None else parse_time(time),
        data=_data(message),
        extensions={name: value for name, value in values.items() if value is not None},
        **text,
    )


def dumps(envelope: Envelope) -> bytes:
    """Return the event in the protobuf event format; equal events give equal bytes."""
    return to_proto(envelope).SerializeToString(deterministic=True)


def loads(raw: bytes, *, max_bytes: int = MAX_EVENT_BYTES) -> Envelope:
    """Return the event that `raw` holds in the protobuf event format.

    Raises:
        EnvelopeTooLargeError: `raw` is longer than `max_bytes`; nothing was parsed.
        EnvelopeError: not such a message, or not a valid CloudEvent.
    """
    if len(raw) > max_bytes:
        raise EnvelopeTooLargeError(
            f"event has {len(raw)} bytes, more than {max_bytes}: send large data by reference (dataref)"
        )
    try:
        message = CloudEvent.FromString(raw)
    except DecodeError as exc:
        raise EnvelopeError(f"event is no io.cloudevents.v1.CloudEvent: {exc}") from exc
    return from_proto(message)


def _set(target: CloudEvent.CloudEventAttributeValue, value: ExtensionValue) -> None:
    if isinstance(value, str):
        target.ce_string = value
    elif isinstance(value, bool):
        target.ce_boolean = value
    elif isinstance(value, int):
        target.ce_integer = value
    else:
        target.ce_bytes = value


def _set_data(message: CloudEvent, data: bytes, envelope: Envelope) -> None:
    if envelope.datacontenttype == PROTOBUF_DATA and _is_packed(data, envelope.dataschema):
        message.proto_data.ParseFromString(data)
    else:
        message.binary_data = data


def _is_packed(data: bytes, dataschema: str | None) -> bool:
    try:
        packed = AnyMessage.FromString(data)
    except DecodeError:
        return False
    # Bytes of another message may parse as an Any by accident; its type URL then names no message. Only what
    # serializes to the same bytes comes out at the other end as it went in.
    host, slash, name = packed.type_url.rpartition("/")
    named = bool(slash and name) and (host == _TYPE_HOST or name == dataschema)
    return named and packed.SerializeToString() == data


def _value(name: str, value: CloudEvent.CloudEventAttributeValue) -> ExtensionValue | None:
    kind = value.WhichOneof("attr")
    if kind is None:
        return None
    if kind != "ce_timestamp":
        found: ExtensionValue = getattr(value, kind)
        return found
    timestamp = value.ce_timestamp
    try:
        return format_time(_EPOCH + timedelta(seconds=timestamp.seconds, microseconds=timestamp.nanos // 1000))
    except OverflowError as exc:
        raise EnvelopeError(f"attribute {name!r} is a time outside of the years 1 to 9999") from exc


def _text(name: str, value: ExtensionValue | None) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise EnvelopeError(f"attribute {name!r} must be a string, not {type(value).__name__}")


def _data(message: CloudEvent) -> bytes | None:
    kind = message.WhichOneof("data")
    if kind is None:
        return None
    if kind == "proto_data":
        return message.proto_data.SerializeToString(deterministic=True)
    return message.text_data.encode() if kind == "text_data" else message.binary_data
