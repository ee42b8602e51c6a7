"""One record as one line, for programs and for people."""

from __future__ import annotations

import base64
import json
from typing import Any

from agentopic.cli.output import compact
from agentopic.envelope import Envelope
from agentopic.envelope import json as event_json
from agentopic.envelope.kafka import decode_record
from agentopic.errors import EnvelopeError
from agentopic.ports.transport import Record

_PREVIEW = 120


def line_of(record: Record, max_bytes: int) -> str:
    """Return a record as structured CloudEvents JSON, or what is wrong with it and its bytes; never fails."""
    try:
        text = event_json.dumps(_envelope(record, max_bytes)).decode()
    except EnvelopeError as exc:
        return compact(_fault(record, exc))
    # Data is kept as it was written, line ends included; one event is one line here.
    return text if "\n" not in text and "\r" not in text else compact(json.loads(text))


def table_line_of(record: Record, max_bytes: int) -> str:
    """Return a record as a line for people: when, where, what, about whom, and the beginning of its data."""
    place = f"{record.topic}[{record.partition}]@{record.offset}"
    try:
        envelope = _envelope(record, max_bytes)
    except EnvelopeError as exc:
        return f"{'-':<12}  {place}  no CloudEvent: {exc}"
    when = envelope.time.strftime("%H:%M:%S.%f")[:12] if envelope.time else "-"
    preview = " ".join((envelope.data or b"").decode(errors="replace").split())
    shortened = preview if len(preview) <= _PREVIEW else preview[:_PREVIEW] + "…"
    return f"{when:<12}  {place}  {envelope.type}  {envelope.subject or '-'}  {shortened}"


def _envelope(record: Record, max_bytes: int) -> Envelope:
    return decode_record(record.headers, record.value, key=record.key, max_bytes=max_bytes)


def _fault(record: Record, exc: EnvelopeError) -> dict[str, Any]:
    return {
        "error": str(exc),
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "key_base64": _base64(record.key),
        "value_base64": _base64(record.value),
        "headers": [[name, _base64(value)] for name, value in record.headers],
    }


def _base64(raw: bytes | None) -> str | None:
    return None if raw is None else base64.b64encode(raw).decode()
