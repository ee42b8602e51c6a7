"""Step 1, Record → Envelope: limits before parsing; what is no valid CloudEvent never stalls a partition."""

from __future__ import annotations

from agentopic.engine.options import EngineOptions
from agentopic.envelope import Envelope
from agentopic.envelope.kafka import decode_record
from agentopic.errors import HopLimitError
from agentopic.ports.transport import Record


def read_envelope(record: Record, options: EngineOptions) -> Envelope:
    """Return the event a record carries.

    Raises:
        EnvelopeTooLargeError: the record exceeds `max_event_bytes`; nothing was parsed.
        EnvelopeError: it is no valid CloudEvent.
        HopLimitError: it has passed more agents than `hop_limit`.
    """
    envelope = decode_record(record.headers, record.value, key=record.key, max_bytes=options.max_event_bytes)
    if envelope.aghops > options.hop_limit:
        raise HopLimitError(
            f"event {envelope.id!r} has passed {envelope.aghops} agents, more than {options.hop_limit}: a loop"
        )
    return envelope
