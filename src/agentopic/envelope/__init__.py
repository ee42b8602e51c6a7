"""CloudEvents 1.0: the envelope around every payload, and its form on Kafka, HTTP, JSON and protobuf."""

from __future__ import annotations

from agentopic.envelope.envelope import Envelope
from agentopic.envelope.ids import derive_id, new_id
from agentopic.envelope.source import agent_source, parse_agent_source
from agentopic.envelope.validation import ExtensionValue

__all__ = [
    "Envelope",
    "ExtensionValue",
    "agent_source",
    "derive_id",
    "new_id",
    "parse_agent_source",
]
