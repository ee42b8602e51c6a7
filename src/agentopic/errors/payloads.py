"""Envelope and payload: what arrives cannot be understood."""

from __future__ import annotations

from agentopic.errors.configuration import ConfigError
from agentopic.errors.root import AgentopicError


class EnvelopeError(AgentopicError):
    """Raised when bytes are not a valid CloudEvent."""


class EnvelopeTooLargeError(EnvelopeError):
    """Raised before parsing when an event exceeds the configured size."""


class PayloadError(AgentopicError):
    """Raised when the data of a valid CloudEvent is not what its type declares."""


class UnknownPayloadTypeError(PayloadError):
    """Raised when no payload class is known for an event type."""


class MessageFormatError(PayloadError, ValueError):
    """Raised when a dumped chat message cannot be read back; says at which place of the dump."""


class DuplicatePayloadTypeError(ConfigError):
    """Raised when two classes claim one payload type name."""
