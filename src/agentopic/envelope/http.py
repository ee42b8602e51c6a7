"""The HTTP protocol binding of CloudEvents 1.0: binary, structured and batched content mode."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from agentopic.envelope import json
from agentopic.envelope.attributes import CORE, KNOWN_EXTENSIONS, MAX_ATTRIBUTES, MAX_EVENT_BYTES
from agentopic.envelope.canonical import canonical_text
from agentopic.envelope.content_mode import JSON_FORMATS, PROTOBUF_FORMAT, ContentMode
from agentopic.envelope.envelope import Envelope
from agentopic.envelope.media_type import essence
from agentopic.envelope.timestamp import format_time, parse_time
from agentopic.envelope.validation import is_attribute_name
from agentopic.errors import EnvelopeError, EnvelopeTooLargeError

Headers = Iterable[tuple[str, str]]
"""Header fields in order; names in any letter case."""


@dataclass(frozen=True, slots=True)
class HttpMessage:
    """What of an HTTP request or response carries events."""

    headers: tuple[tuple[str, str], ...]
    body: bytes


_BATCH: Final = "application/cloudevents-batch"
_CLOUDEVENTS: Final = "application/cloudevents"
_TO_ENCODE: Final = re.compile(r"[^\x21\x23\x24\x26-\x7e]")
_QUOTED_PAIR: Final = re.compile(r"\\(.)")
_TEXT_HEADERS: Final = ("specversion", "id", "source", "type", "subject", "dataschema")
_CORE_HEADERS: Final = CORE - {"datacontenttype"}


def encode(envelope: Envelope, *, mode: ContentMode = ContentMode.BINARY) -> HttpMessage:
    """Return the message of one event. HTTP has no absent body: an empty payload and none look the same."""
    if mode is ContentMode.STRUCTURED:
        return HttpMessage((("content-type", json.MEDIA_TYPE),), json.dumps(envelope))
    core = {name: getattr(envelope, name) for name in _TEXT_HEADERS}
    headers = [(f"ce-{name}", _quoted(value)) for name, value in core.items() if value is not None]
    if envelope.time is not None:
        headers.append(("ce-time", format_time(envelope.time)))
    headers += [(f"ce-{name}", _quoted(canonical_text(value))) for name, value in envelope.extensions.items()]
    if envelope.datacontenttype is not None:
        headers.append(("content-type", envelope.datacontenttype))
    return HttpMessage(tuple(headers), envelope.data or b"")


def encode_batch(envelopes: list[Envelope]) -> HttpMessage:
    """Return the message of several events; only for receivers that asked for batches."""
    return HttpMessage((("content-type", json.BATCH_MEDIA_TYPE),), json.dumps_batch(envelopes))


def decode(headers: Headers, body: bytes, *, max_bytes: int = MAX_EVENT_BYTES) -> Envelope:
    """Return the one event of a message in binary or structured mode; `content-type` alone decides which.

    Fields that are not CloudEvents' are not looked at; of a repeated field the last one counts; an extension
    that has no meaning here and whose name is malformed is left out.

    Raises:
        EnvelopeTooLargeError: more than `max_bytes` in header and body, or too many fields; nothing was
            parsed.
        EnvelopeError: the message is a batch or no valid CloudEvent.
    """
    fields = _checked(headers, body, max_bytes)
    kind = essence(fields.get("content-type", ""))
    if kind.startswith(_BATCH):
        raise EnvelopeError("message holds a batch: send one event, or use an address that takes batches")
    if kind in JSON_FORMATS:
        return json.loads(body, max_bytes=max_bytes)
    if kind == PROTOBUF_FORMAT:
        # Imported here because the protobuf runtime is slow to import and rarely needed.
        from agentopic.envelope import protobuf

        return protobuf.loads(body, max_bytes=max_bytes)
    return _binary(fields, body)


def decode_all(headers: Headers, body: bytes, *, max_bytes: int = MAX_EVENT_BYTES) -> list[Envelope]:
    """Return the events of a message in any mode, in order; `max_bytes` is for the message as a whole.

    Raises:
        EnvelopeTooLargeError: as `decode`.
        EnvelopeError: as `decode`; one bad event makes a batch invalid.
    """
    fields = tuple(headers)
    kind = essence(next((value for name, value in reversed(fields) if name.lower() == "content-type"), ""))
    if not kind.startswith(_BATCH):
        return [decode(fields, body, max_bytes=max_bytes)]
    if kind != f"{_BATCH}+json":
        raise EnvelopeError(f"batch format {kind[:64]!r} is unknown: send application/cloudevents-batch+json")
    _checked(fields, body, max_bytes)
    return json.loads_batch(body, max_bytes=max_bytes)


def _checked(headers: Headers, body: bytes, max_bytes: int) -> dict[str, str]:
    fields = tuple(headers)
    size = len(body) + sum(len(name) + len(value) for name, value in fields)
    if size > max_bytes:
        raise EnvelopeTooLargeError(
            f"message has {size} bytes, more than {max_bytes}: send large data by reference (dataref)"
        )
    if len(fields) > MAX_ATTRIBUTES:
        raise EnvelopeTooLargeError(f"message has {len(fields)} header fields, more than {MAX_ATTRIBUTES}")
    return {name.lower(): value for name, value in fields}


def _binary(fields: dict[str, str], body: bytes) -> Envelope:
    found: dict[str, str] = {}
    for field, value in fields.items():
        if not field.startswith("ce-"):
            continue
        name = field[3:]
        if name in _CORE_HEADERS or name in KNOWN_EXTENSIONS or is_attribute_name(name):
            found[name] = _unquoted(field, value)
    time = found.pop("time", None)
    return Envelope(
        id=found.pop("id", ""),
        source=found.pop("source", ""),
        type=found.pop("type", ""),
        specversion=found.pop("specversion", ""),
        subject=found.pop("subject", None),
        time=None if time is None else parse_time(time),
        datacontenttype=fields.get("content-type"),
        dataschema=found.pop("dataschema", None),
        data=body or None,
        extensions=found,
    )


def _quoted(text: str) -> str:
    return _TO_ENCODE.sub(lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode()), text)


def _unquoted(field: str, value: str) -> str:
    value = value.strip(" \t")
    if len(value) >= 2 and value[0] == value[-1] == '"':
        value = _QUOTED_PAIR.sub(r"\1", value[1:-1])
    if "%" not in value and value.isascii():
        return value
    # Servers hand out header bytes as Latin-1, whatever they are; what is not Latin-1 was decoded already.
    charset = "latin-1" if all(char <= "\xff" for char in value) else "utf-8"
    try:
        return unquote_to_bytes(value.encode(charset, "surrogatepass")).decode()
    except UnicodeDecodeError as exc:
        raise EnvelopeError(f"header {field!r} is not percent-encoded UTF-8: {value[:64]!r}") from exc
