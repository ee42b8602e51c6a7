"""Step 1, Record → Envelope: limits before parsing; what is no valid CloudEvent never stalls a partition."""

from __future__ import annotations

from agentopic.engine.options import EngineOptions
from agentopic.envelope import Envelope
from agentopic.envelope.kafka import decode_record
from agentopic.ports.transport import Record


def read_envelope(record: Record, options: EngineOptions) -> Envelope:
    """Return the event a record carries.

    Raises:
        EnvelopeTooLargeError: the record exceeds `max_event_bytes`; nothing was parsed.
        EnvelopeError: it is no valid CloudEvent.
    """
    return decode_record(record.headers, record.value, key=record.key, max_bytes=options.max_event_bytes)
