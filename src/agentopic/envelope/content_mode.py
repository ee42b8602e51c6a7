"""How an event is laid out in a message, and which event formats are read."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class ContentMode(StrEnum):
    """Where attributes and data go; the same for every protocol binding."""

    BINARY = "binary"
    """Attributes in headers, data untouched in the body."""
    STRUCTURED = "structured"
    """The whole event, as JSON, in the body."""


JSON_FORMATS: Final = frozenset({"application/cloudevents", "application/cloudevents+json"})
"""Media types of the JSON event format; the bare one names no format and is taken as JSON."""

PROTOBUF_FORMAT: Final = "application/cloudevents+protobuf"
"""Media type of the protobuf event format."""
