"""What the Kafka client's errors mean to us: refused for good, or of unknown outcome."""

from __future__ import annotations

from typing import Final

from aiokafka import errors

from agentopic.errors import RecordRefusedError, TransportError


class InvalidRecordError(errors.BrokerResponseError):
    """The broker's own check failed, for example a record without a key for a compacted topic."""

    errno = 87
    message = "INVALID_RECORD"


# The client knows no code above 79 and would report this one as an unknown, repeatable error.
errors.kafka_errors.setdefault(InvalidRecordError.errno, InvalidRecordError)

_OF_ONE_RECORD: Final = (
    InvalidRecordError,
    errors.CorruptRecordException,
    errors.InvalidTimestampError,
    errors.MessageSizeTooLargeError,
    errors.RecordListTooLargeError,
)
_OF_THE_TOPIC: Final = (
    errors.ClusterAuthorizationFailedError,
    errors.InvalidTopicError,
    errors.PolicyViolationError,
    errors.TopicAuthorizationFailedError,
    errors.UnsupportedForMessageFormatError,
)


_BEYOND_HEALING = (
    errors.ProducerClosed,
    errors.ProducerFenced,
    errors.NodeNotReadyError,
    errors.KafkaConnectionError,
    errors.KafkaTimeoutError,
)


def may_be_one_record(error: BaseException) -> bool:
    """Whether a batch may have been refused because of one record in it."""
    return isinstance(error, _OF_ONE_RECORD)


def of_send(error: errors.KafkaError, topic: str) -> TransportError:
    """Translate why a batch was not acknowledged."""
    reason = f"{type(error).__name__}: {error}"
    if isinstance(error, (*_OF_ONE_RECORD, *_OF_THE_TOPIC)):
        return RecordRefusedError(f"Kafka refuses a record for topic {topic!r}: {reason}")
    return TransportError(f"a record for topic {topic!r} was not acknowledged, its outcome is unknown: {reason}")


def is_fatal(error: errors.KafkaError) -> bool:
    """Whether the producer that raised this will not heal.

    Its sending task has ended, or it gave up on brokers that may all be gone: only a new one asks the given
    addresses again.
    """
    return type(error) is errors.KafkaError or isinstance(error, _BEYOND_HEALING)
