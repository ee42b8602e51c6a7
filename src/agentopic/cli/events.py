"""From what a person types to an event: input, form, envelope."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from agentopic.cli.stdin import FileLines, LineReader, stdin_lines
from agentopic.envelope import Envelope, new_id
from agentopic.envelope.media_type import is_json_media_type
from agentopic.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class EventForm:
    """What all events of one call have in common."""

    payload_type: str
    source: str
    subject: str | None = None
    event_id: str | None = None
    content_type: str = "application/json"

    def envelope(self, payload: bytes) -> Envelope:
        """Return the event around a payload, its bytes unchanged.

        Raises:
            ConfigError: the content type says JSON and the payload is none.
            EnvelopeError: an attribute is not allowed.
        """
        if is_json_media_type(self.content_type):
            check_json(payload)
        return Envelope(
            id=self.event_id or new_id(),
            source=self.source,
            type=self.payload_type,
            subject=self.subject,
            time=datetime.now(UTC),
            datacontenttype=self.content_type,
            data=payload,
        )


def check_json(payload: bytes) -> None:
    """Refuse a payload that is no JSON.

    Raises:
        ConfigError: it is none; the message says where.
    """
    try:
        json.loads(payload.decode())
    except (UnicodeDecodeError, json.JSONDecodeError) as exc:
        raise ConfigError(f"the data is no JSON: {exc}; give JSON, or name what it is with --content-type") from exc


def read_payload(data: str | None) -> bytes:
    """Return the payload of `--data`, of the file it names, or of stdin, without line ends at its end.

    Raises:
        ConfigError: the file cannot be read.
    """
    if data is None:
        return sys.stdin.buffer.read().rstrip(b"\r\n")
    return (_file(data).read_bytes() if data.startswith("@") else data.encode()).rstrip(b"\r\n")


@asynccontextmanager
async def payload_lines(data: str | None) -> AsyncGenerator[LineReader]:
    """Hand out the lines of `--data`, of the file it names, or of stdin.

    Raises:
        ConfigError: the file cannot be read.
    """
    if data is not None:
        yield FileLines(BytesIO(read_payload(data)))
        return
    async with stdin_lines() as lines:
        yield lines


def _file(data: str) -> Path:
    path = Path(data[1:])
    if not path.is_file():
        raise ConfigError(f"there is no file {str(path)!r} to read the data from")
    return path
