"""The Kafka protocol binding of CloudEvents 1.0, binary and structured content mode."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from agentopic.envelope import json
from agentopic.envelope.attributes import (
    CORE,
    INTEGER_EXTENSIONS,
    KNOWN_EXTENSIONS,
    MAX_ATTRIBUTES,
    MAX_EVENT_BYTES,
    MAX_IDENTITY_BYTES,
)
from agentopic.envelope.canonical import canonical_text
from agentopic.envelope.content_mode import JSON_FORMATS, PROTOBUF_FORMAT, ContentMode
from agentopic.envelope.envelope import Envelope
from agentopic.envelope.media_type import essence
from agentopic.envelope.timestamp import format_time, parse_time
from agentopic.envelope.validation import ExtensionValue, check_text, is_attribute_name
from agentopic.errors import EnvelopeError, EnvelopeTooLargeError

Headers = Sequence[tuple[str, bytes | None]]
"""Record headers in order; a name may occur more than once, a value may be null."""


@dataclass(frozen=True, slots=True)
class KafkaMessage:
    """What of a Kafka record carries an event."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


_CONTENT_TYPE: Final = "content-type"
_HEADER_OF: Final = {name: f"ce_{name}" for name in KNOWN_EXTENSIONS}
_ATTRIBUTE_OF: Final = {
    _CONTENT_TYPE: "datacontenttype",
    **{f"ce_{name}": name for name in KNOWN_EXTENSIONS | CORE - {"datacontenttype"}},
}
_CLOUDEVENTS: Final = b"application/cloudevents"
_CLOUDEVENTS_TEXT: Final = _CLOUDEVENTS.decode()
_STRUCTURED_HEADERS: Final = ((_CONTENT_TYPE, json.MEDIA_TYPE.encode()),)
_VERSION_HEADER: Final = ("ce_specversion", b"1.0")


def encode(envelope: Envelope, *, key: bytes | None = None, mode: ContentMode = ContentMode.BINARY) -> KafkaMessage:
    """Return the record of an event under the caller's key; the event decides nothing about the key.

    In binary mode an event without data has no value, which compacted topics read as a tombstone. Integers,
    booleans and bytes are written in their canonical text (`7`, `true`, Base64).

    Raises:
        EnvelopeError: the key is longer than 1 KiB.
    """
    if key is not None and len(key) > MAX_IDENTITY_BYTES:
        raise EnvelopeError(f"record key has {len(key)} bytes, more than {MAX_IDENTITY_BYTES}: use a shorter key")
    if mode is ContentMode.STRUCTURED:
        return KafkaMessage(key, json.dumps(envelope), _STRUCTURED_HEADERS)
    return KafkaMessage(key, envelope.data, tuple(_headers(envelope)))


def decode(message: KafkaMessage, *, max_bytes: int = MAX_EVENT_BYTES) -> Envelope:
    """Return the event of a record; see `decode_record`."""
    return decode_record(message.headers, message.value, key=message.key, max_bytes=max_bytes)


def decode_record(
    headers: Headers, value: bytes | None, *, key: bytes | None = None, max_bytes: int = MAX_EVENT_BYTES
) -> Envelope:
    """Return the event of a record's headers and value.

    `content-type` alone decides the mode. The key never becomes part of the event. Headers that are not
    CloudEvents' are not looked at; of a repeated header the last one counts; an extension that has no meaning
    here and whose name or bytes are malformed is left out. Headers carry text only: an extension that was
    sent as a boolean or as bytes comes back as its canonical text. An event in a format other than JSON and
    protobuf is read from its headers, with its value as opaque data.

    Raises:
        EnvelopeTooLargeError: more than `max_bytes` in key, headers and value, or too many headers; nothing
            was parsed.
        EnvelopeError: the record is no valid CloudEvent.
    """
    content_type = _checked_content_type(headers, value, key, max_bytes)
    if content_type is not None and content_type[:23].lower() == _CLOUDEVENTS:
        return _structured(content_type, headers, value, max_bytes)
    return _binary(headers, value)


def restore_record(headers: Headers, value: bytes | None) -> Envelope:
    """Return the event of a record that `decode_record` has accepted before and that was kept since.

    In binary mode nothing is checked again.

    Raises:
        EnvelopeError: the record holds no event.
    """
    found: dict[str, str] = {}
    extensions: dict[str, ExtensionValue] = {}
    for name, raw in headers:
        attribute = _ATTRIBUTE_OF.get(name)
        if attribute is None or raw is None:
            return decode_record(headers, value, max_bytes=sys.maxsize)  # names that need a closer look
        if attribute in CORE:
            found[attribute] = raw.decode()
        else:
            extensions[attribute] = int(raw) if attribute in INTEGER_EXTENSIONS else raw.decode()
    if found.get("datacontenttype", "")[:23].lower() == _CLOUDEVENTS_TEXT:
        return decode_record(headers, value, max_bytes=sys.maxsize)
    time = found.get("time")
    moment = None if time is None else parse_time(time)
    return Envelope.restored(found, time=moment, data=value, extensions=extensions)


def key_from_partitionkey(envelope: Envelope) -> bytes | None:
    """Return the record key that the `partitionkey` extension asks for; the event keeps the attribute."""
    partitionkey = envelope.partitionkey
    return None if partitionkey is None else partitionkey.encode()


def topic_source(envelope: Envelope, key: bytes | None) -> str:
    """Return the source of the TopicId that a record was published to.

    It is `agtopicsource`; for outside publishers the subject, else the record key, else the event id. A key
    that is no CloudEvents text is written as `0x` and its bytes in hexadecimal.

    Raises:
        EnvelopeError: the key is needed and longer than 1 KiB.
    """
    for candidate in (envelope.agtopicsource, envelope.subject):
        if candidate is not None:
            return candidate
    if not key:
        return envelope.id
    if len(key) > MAX_IDENTITY_BYTES:
        raise EnvelopeError(f"record key has {len(key)} bytes, more than {MAX_IDENTITY_BYTES}: set the subject")
    try:
        text = key.decode()
        check_text("key", text)
    except (UnicodeDecodeError, EnvelopeError):
        return f"0x{key.hex()}"
    return text


def _headers(envelope: Envelope) -> list[tuple[str, bytes]]:
    headers = [
        _VERSION_HEADER,
        ("ce_id", envelope.id.encode()),
        ("ce_source", envelope.source.encode()),
        ("ce_type", envelope.type.encode()),
    ]
    if envelope.subject is not None:
        headers.append(("ce_subject", envelope.subject.encode()))
    if envelope.time is not None:
        headers.append(("ce_time", format_time(envelope.time).encode()))
    if envelope.datacontenttype is not None:
        headers.append((_CONTENT_TYPE, envelope.datacontenttype.encode()))
    if envelope.dataschema is not None:
        headers.append(("ce_dataschema", envelope.dataschema.encode()))
    headers.extend(extension_headers(envelope.extensions))
    return headers


def extension_headers(extensions: Mapping[str, ExtensionValue]) -> tuple[tuple[str, bytes], ...]:
    """Return the headers of an event's extensions."""
    return tuple(
        [
            (_HEADER_OF.get(name) or f"ce_{name}", (value if type(value) is str else canonical_text(value)).encode())
            for name, value in extensions.items()
        ]
    )


def _checked_content_type(headers: Headers, value: bytes | None, key: bytes | None, max_bytes: int) -> bytes | None:
    content_type: bytes | None = None
    size = (len(value) if value else 0) + (len(key) if key else 0)
    for name, raw in headers:
        size += len(name) + (len(raw) if raw else 0)
        if len(name) == 12 and name.lower() == _CONTENT_TYPE:
            content_type = raw
    if size > max_bytes:
        raise EnvelopeTooLargeError(
            f"record has {size} bytes, more than {max_bytes}: send large data by reference (dataref)"
        )
    if len(headers) > MAX_ATTRIBUTES:
        raise EnvelopeTooLargeError(f"record has {len(headers)} headers, more than {MAX_ATTRIBUTES}")
    return content_type


def _structured(content_type: bytes, headers: Headers, value: bytes | None, max_bytes: int) -> Envelope:
    kind = essence(content_type.decode("utf-8", "replace"))
    if kind in JSON_FORMATS or kind == PROTOBUF_FORMAT:
        if value is None:
            raise EnvelopeError(f"record declares {kind} and has no value: an event in structured mode needs one")
        return json.loads(value, max_bytes=max_bytes) if kind in JSON_FORMATS else _protobuf(value, max_bytes)
    if kind.startswith("application/cloudevents-batch"):
        raise EnvelopeError("record holds a batch: the Kafka binding has none, send one event per record")
    return _binary(headers, value)


def _protobuf(value: bytes, max_bytes: int) -> Envelope:
    # Imported here because the protobuf runtime is slow to import and rarely needed.
    from agentopic.envelope import protobuf

    return protobuf.loads(value, max_bytes=max_bytes)


def _binary(headers: Headers, value: bytes | None) -> Envelope:
    found: dict[str, str] = {}
    for name, raw in headers:
        if raw is None:
            continue
        attribute = _ATTRIBUTE_OF.get(name)
        try:
            if attribute is not None:
                found[attribute] = raw.decode()
            elif name.startswith("ce_"):
                if is_attribute_name(name[3:]):
                    found[name[3:]] = raw.decode()
            elif name.lower() == _CONTENT_TYPE:
                found["datacontenttype"] = raw.decode()
        except UnicodeDecodeError as exc:
            if attribute is not None or not name.startswith("ce_"):
                raise EnvelopeError(f"header {name!r} is not UTF-8 at byte {exc.start}") from exc
    take = found.pop
    time = take("time", None)
    return Envelope(
        id=take("id", ""),
        source=take("source", ""),
        type=take("type", ""),
        specversion=take("specversion", ""),
        subject=take("subject", None),
        time=None if time is None else parse_time(time),
        datacontenttype=take("datacontenttype", None),
        dataschema=take("dataschema", None),
        data=value,
        extensions=found,
    )
