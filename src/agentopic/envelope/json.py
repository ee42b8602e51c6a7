"""The JSON event format: one event (structured mode) and a batch of them."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Final

from agentopic.envelope.attributes import MAX_EVENT_BYTES
from agentopic.envelope.envelope import Envelope
from agentopic.envelope.json_text import BLANK, Member, decode_text, is_json_text, scan_batch, scan_event
from agentopic.envelope.media_type import charset, is_json_media_type, is_utf8_text
from agentopic.envelope.timestamp import format_time, parse_time
from agentopic.envelope.validation import ExtensionValue
from agentopic.errors import EnvelopeError, EnvelopeTooLargeError

MEDIA_TYPE: Final = "application/cloudevents+json; charset=UTF-8"
BATCH_MEDIA_TYPE: Final = "application/cloudevents-batch+json; charset=UTF-8"

_TEXT_FIELDS: Final = ("id", "source", "type", "specversion", "subject", "datacontenttype", "dataschema")
_FIELDS: Final = frozenset({*_TEXT_FIELDS, "time", "data", "data_base64"})


def dumps(envelope: Envelope) -> bytes:
    """Return the event in the JSON event format, UTF-8.

    Data that its media type declares to be JSON, and is, stands verbatim in `data` (without surrounding white
    space); UTF-8 text of a text type stands there as a string; all other data in `data_base64`.
    """
    members = {
        "specversion": envelope.specversion,
        "id": envelope.id,
        "source": envelope.source,
        "type": envelope.type,
        "subject": envelope.subject,
        "time": None if envelope.time is None else format_time(envelope.time),
        "datacontenttype": envelope.datacontenttype,
        "dataschema": envelope.dataschema,
        **{name: _json_value(value) for name, value in envelope.extensions.items()},
    }
    head = _compact({name: value for name, value in members.items() if value is not None})
    if envelope.data is None:
        return head.encode()
    return f"{head[:-1]},{_data_member(envelope.data, envelope.datacontenttype)}}}".encode()


def loads(raw: bytes, *, max_bytes: int = MAX_EVENT_BYTES) -> Envelope:
    """Return the event that `raw` holds in the JSON event format; JSON data keeps its text, byte for byte.

    Raises:
        EnvelopeTooLargeError: `raw` is longer than `max_bytes`; nothing was parsed.
        EnvelopeError: not UTF-8, not JSON, nested too deeply, or not a valid CloudEvent.
    """
    return _event(scan_event(decode_text(_limited(raw, max_bytes))))


def dumps_batch(envelopes: list[Envelope]) -> bytes:
    """Return the events, in order, in the JSON batch format, UTF-8."""
    return b"[" + b",".join(dumps(envelope) for envelope in envelopes) + b"]"


def loads_batch(raw: bytes, *, max_bytes: int = MAX_EVENT_BYTES) -> list[Envelope]:
    """Return the events, in order, that `raw` holds in the JSON batch format; none at all is a batch too.

    Raises:
        EnvelopeTooLargeError: `raw` is longer than `max_bytes`; nothing was parsed.
        EnvelopeError: as `loads`; one bad event makes the batch invalid.
    """
    return [_event(members) for members in scan_batch(decode_text(_limited(raw, max_bytes)))]


def _limited(raw: bytes, max_bytes: int) -> bytes:
    if len(raw) > max_bytes:
        raise EnvelopeTooLargeError(
            f"event has {len(raw)} bytes, more than {max_bytes}: send large data by reference (dataref)"
        )
    return raw


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _json_value(value: ExtensionValue) -> str | int | bool:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _data_member(data: bytes, content_type: str | None) -> str:
    if content_type is not None and (text := _as_text(data)) is not None:
        if is_json_media_type(content_type):
            if is_json_text(text):
                return f'"data":{text.strip(BLANK)}'
        elif is_utf8_text(content_type):
            return f'"data":{_compact(text)}'
    return f'"data_base64":"{base64.b64encode(data).decode()}"'


def _as_text(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _event(members: dict[str, Member]) -> Envelope:
    text = {name: _text(name, members) for name in _TEXT_FIELDS}
    time = _text("time", members)
    content_type = text["datacontenttype"]
    if content_type is None and "data" in members:
        content_type = "application/json"  # JSON format 3.1.2: the implied type is made explicit
    return Envelope(
        id=text["id"] or "",
        source=text["source"] or "",
        type=text["type"] or "",
        specversion=text["specversion"] or "",
        subject=text["subject"],
        time=None if time is None else parse_time(time),
        datacontenttype=content_type,
        dataschema=text["dataschema"],
        data=_data(members, content_type),
        extensions=_extensions(members),
    )


def _text(name: str, members: dict[str, Member]) -> str | None:
    member = members.get(name)
    if member is None or member.value is None:
        return None
    if not isinstance(member.value, str):
        raise EnvelopeError(f"member {name!r} must be a JSON string, not {member.text[:64]!r}")
    return member.value


def _extensions(members: dict[str, Member]) -> dict[str, ExtensionValue]:
    found: dict[str, ExtensionValue] = {}
    for name, member in members.items():
        if name in _FIELDS or member.value is None:
            continue
        if not isinstance(member.value, str | int):
            raise EnvelopeError(
                f"extension {name!r} must be a string, an integer or a boolean, not {member.text[:64]!r}"
            )
        found[name] = member.value
    return found


def _data(members: dict[str, Member], content_type: str | None) -> bytes | None:
    encoded = _text("data_base64", members)
    member = members.get("data")
    if member is None:
        return None if encoded is None else _from_base64(encoded)
    if encoded is not None:
        raise EnvelopeError("members 'data' and 'data_base64' exclude each other: leave one out")
    if content_type is None or is_json_media_type(content_type):
        return member.text.encode()
    if member.value is None:
        return None
    if not isinstance(member.value, str):
        raise EnvelopeError(f"data of type {content_type[:64]!r} must be a JSON string or stand in 'data_base64'")
    try:
        return member.value.encode(charset(content_type))
    except (LookupError, ValueError) as exc:
        raise EnvelopeError(f"data cannot be encoded as {content_type[:64]!r} declares") from exc


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise EnvelopeError(f"member 'data_base64' is not Base64: {exc}") from exc
