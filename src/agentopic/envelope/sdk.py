"""Conversion to and from the event type of the `cloudevents` SDK, which is an optional dependency."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from agentopic.envelope.attributes import CORE, SPECVERSION
from agentopic.envelope.envelope import Envelope
from agentopic.envelope.media_type import charset, is_json_media_type
from agentopic.envelope.timestamp import format_time
from agentopic.envelope.validation import ExtensionValue
from agentopic.errors import EnvelopeError, MissingExtraError

if TYPE_CHECKING:
    from cloudevents.core.base import BaseCloudEvent
    from cloudevents.core.v1.event import CloudEvent


def to_sdk(envelope: Envelope) -> CloudEvent:
    """Return the event as the SDK's type, all attributes kept, data as the same bytes.

    Raises:
        MissingExtraError: the SDK is not installed.
    """
    try:
        from cloudevents.core.v1.event import CloudEvent
    except ImportError as exc:
        raise MissingExtraError("conversion to the cloudevents SDK", "cloudevents") from exc
    attributes: dict[str, Any] = {name: getattr(envelope, name) for name in CORE}
    given = {name: value for name, value in attributes.items() if value is not None}
    event = CloudEvent({**given, **envelope.extensions}, envelope.data)
    if envelope.time is None:
        # The SDK invents the current time where an event has none.
        event.get_attributes().pop("time", None)
    return event


def from_sdk(event: BaseCloudEvent) -> Envelope:
    """Return the envelope of an event of the SDK; text is encoded, objects become JSON.

    Raises:
        EnvelopeError: the event is no CloudEvent 1.0, or its data cannot be serialized.
    """
    attributes = dict(event.get_attributes())
    time = attributes.pop("time", None)
    content_type = attributes.pop("datacontenttype", None)
    data = event.get_data()
    if isinstance(data, dict | list) and content_type is None:
        content_type = "application/json"
    core = {name: attributes.pop(name) for name in CORE & attributes.keys()}
    return Envelope(
        **{"id": "", "source": "", "type": "", "specversion": SPECVERSION, **core},
        time=time,
        datacontenttype=content_type,
        data=_to_bytes(data, content_type),
        extensions={name: _extension(value) for name, value in attributes.items() if value is not None},
    )


def _extension(value: Any) -> ExtensionValue:
    return format_time(value) if isinstance(value, datetime) else value


def _to_bytes(data: object, content_type: str | None) -> bytes | None:
    if data is None or isinstance(data, bytes):
        return data
    try:
        if isinstance(data, str) and not (content_type and is_json_media_type(content_type)):
            return data.encode(charset(content_type) if content_type else "utf-8")
        return json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
    except (LookupError, TypeError, ValueError, RecursionError) as exc:
        raise EnvelopeError(f"data of type {type(data).__name__} cannot be serialized: {exc}") from exc
