"""Dead letters: the record as it came, byte for byte, with the facts of its failure added once."""

from __future__ import annotations

from datetime import datetime

from agentopic.concealment import redacted
from agentopic.ports.journal import OutboxRow
from agentopic.ports.transport import Record
from agentopic.telemetry.loggers import get_logger

log = get_logger(__name__)

PREFIX = "agentopic.dead."
"""Prefix of the fact headers. They are no CloudEvents attributes: the event in a dead letter is the event as sent."""

MESSAGE_LIMIT = 1000


def told(error: BaseException) -> str:
    """Return an error's message as it may leave this process: bounded, without secrets."""
    # Cut before it is searched for secrets: a handler's error may be megabytes long, and the event loop waits.
    return redacted(str(error)[: 4 * MESSAGE_LIMIT])[:MESSAGE_LIMIT]


def dead_letter(
    record: Record, *, topic: str, group: str, error: BaseException, attempts: int, now: datetime
) -> OutboxRow:
    """Return the dead letter of a record and log the one line that tells of it.

    Facts, all text: `topic`, `partition`, `offset`, `timestamp` (ms) of the record, `group`, `reason` (error class),
    `message`, `attempts`, `time`. Facts of an earlier death are replaced, never piled up.
    """
    reason, message = type(error).__name__, told(error)
    facts = {
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "timestamp": str(record.timestamp_ms),
        "group": group,
        "reason": reason,
        "message": message,
        "attempts": str(attempts),
        "time": now.isoformat(),
    }
    log.error(
        "dead letter",
        kafka_topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        group=group,
        reason=reason,
        detail=message,
        attempts=attempts,
    )
    kept = tuple((name, value) for name, value in record.headers if not name.startswith(PREFIX))
    added = tuple((PREFIX + name, text.encode("utf-8", "replace")) for name, text in facts.items())
    return OutboxRow(topic=topic, key=record.key, value=record.value, headers=kept + added)
