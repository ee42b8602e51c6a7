"""Payloads: typed content to and from the data of an envelope."""

from __future__ import annotations

from typing import Any

from agentopic.core._serialization import JSON_DATA_CONTENT_TYPE
from agentopic.core._serialization_registry import SerializationRegistry
from agentopic.engine.turn import Content
from agentopic.envelope import Envelope
from agentopic.envelope.media_type import essence
from agentopic.errors import PayloadError, UnknownPayloadTypeError

FAULT_TYPE = "agentopic.Fault.v1"
"""Payload type of a fault: `error_type`, `message`, `retryable`."""


def write_payload(serializers: SerializationRegistry, message: Any) -> Content:
    """Return a message as it travels.

    Raises:
        PayloadError: its class cannot be serialised.
    """
    type_name, content_type, data = serializers.encode(message)
    return Content(type=type_name, datacontenttype=content_type, data=data)


def read_payload(serializers: SerializationRegistry, namespace: str, envelope: Envelope) -> Any:
    """Return the typed payload of an envelope.

    A type name without the namespace is looked up within it, so that outside publishers may leave it out.

    Raises:
        UnknownPayloadTypeError: no payload class is known for the event's type and content type.
        PayloadError: the data is not what the class declares.
    """
    content_type = _content_type(envelope.datacontenttype)
    for type_name in (envelope.type, f"{namespace}.{envelope.type}"):
        if serializers.is_registered(type_name, content_type):
            if envelope.data is None:
                raise PayloadError(f"event {envelope.id!r} of type {envelope.type!r} has no data")
            return serializers.deserialize(envelope.data, type_name=type_name, data_content_type=content_type)
    raise UnknownPayloadTypeError(
        f"no payload class is known for type {envelope.type!r} as {content_type}: does the agent handle it,"
        " and is its name declared with @payload?"
    )


def _content_type(datacontenttype: str | None) -> str:
    if datacontenttype is None or datacontenttype == JSON_DATA_CONTENT_TYPE:
        return JSON_DATA_CONTENT_TYPE
    kind = essence(datacontenttype)
    return JSON_DATA_CONTENT_TYPE if kind.endswith("+json") or kind == "text/json" else kind
