"""Ports: transport, journal, blobs."""

from __future__ import annotations

from agentopic.errors.root import AgentopicError


class TransportError(AgentopicError):
    """Raised when the transport cannot do what was asked."""

    retryable = True


class RecordRefusedError(TransportError):
    """Raised when the broker refuses one record for good (too large, unknown topic, not authorised)."""

    retryable = False


class OffsetOutOfRangeError(TransportError):
    """Raised when a read position lies outside what the log holds (truncated, re-created, past retention)."""

    retryable = False

    def __init__(self, topic: str, partition: int, offset: int) -> None:
        self.topic = topic
        self.partition = partition
        self.offset = offset
        super().__init__(f"{topic}[{partition}] holds no offset {offset}")


class JournalError(AgentopicError):
    """Raised when the journal cannot do what was asked."""

    retryable = True


class JournalUnavailableError(JournalError):
    """Raised when the outcome of a journal call is unknown: the connection broke before the answer came."""


class ValueRefusedError(JournalError):
    """Raised when the database refuses a value of a call for good; the caller halves the call down to the culprit."""

    retryable = False


class ProcessBuriedError(JournalError):
    """Raised when the journal has declared this process dead; its turns unwind and it joins anew."""

    retryable = False


class JournalRewoundError(ProcessBuriedError):
    """Raised when the journal has lost its last moments: what this process knows of it is void, and it joins anew."""


class LaneLostError(JournalError):
    """Raised when a token no longer matches: another process holds the lane, this attempt is void."""

    retryable = False


class StateVersionError(JournalError):
    """Raised when an agent's stored state or events are of a version its code cannot read: newer, or never up-cast.

    Nothing is given up for it: the delivery waits until code that can read them is deployed.
    """


class StillRunningError(JournalError):
    """Raised when something needs all processes of an agent type stopped and one is still alive."""


class StateFileError(AgentopicError):
    """Raised when a file of exported state is cut short, altered, of another version or of another namespace."""


class BlobError(AgentopicError):
    """Raised when a payload that does not travel with its event cannot be had."""


class BlobUnavailableError(BlobError):
    """Raised when the blob store does not answer."""

    retryable = True


class BlobMissingError(BlobError):
    """Raised when the blob store does not hold a payload: it may be another store than the sender's."""

    retryable = True


class BlobCorruptError(BlobError):
    """Raised when stored bytes are not those their content hash names."""
