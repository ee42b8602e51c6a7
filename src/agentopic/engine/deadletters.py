"""Dead letters: the record as it came, byte for byte, with the facts of its failure added once."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from agentopic.concealment import redacted
from agentopic.core import AgentId
from agentopic.ports.journal import OutboxRow
from agentopic.ports.transport import Headers, Record
from agentopic.telemetry.loggers import get_logger

log = get_logger(__name__)

PREFIX: Final = "agentopic.dead."
"""Prefix of the fact headers. They are no CloudEvents attributes: the event in a dead letter is the event as sent."""

FIRST: Final = PREFIX + "first"
"""When the event was given up for the first time; the one fact that goes along when a letter is sent again."""

MESSAGE_LIMIT = 1000


def told(error: BaseException) -> str:
    """Return an error's message as it may leave this process: bounded, without secrets."""
    # Cut before it is searched for secrets: a handler's error may be megabytes long, and the event loop waits.
    return redacted(str(error)[: 4 * MESSAGE_LIMIT])[:MESSAGE_LIMIT]


def original_headers(headers: Headers) -> Headers:
    """Return the headers of a record as its publisher wrote them."""
    return tuple((name, value) for name, value in headers if not name.startswith(PREFIX))


def dead_letter(
    record: Record,
    *,
    topic: str,
    group: str,
    error: BaseException,
    attempts: int,
    now: datetime,
    agent: AgentId | None = None,
) -> OutboxRow:
    """Return the dead letter of a record and log the one line that tells of it.

    Facts, all text: `topic`, `partition`, `offset`, `timestamp` (ms) of the record, `group`, `agent` (of a record that
    was a delivery already), `reason` (error class), `message`, `attempts`, `first` and `time` (of the first and of
    this death). Facts of an earlier death are replaced, never piled up; `first` is kept. A header whose name no
    journal can store (NUL, lone surrogates) keeps its value under a name in which these are escaped.
    """
    reason, message = type(error).__name__, told(error)
    facts = {
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "timestamp": str(record.timestamp_ms),
        "group": group,
        **({} if agent is None else {"agent": str(agent)}),
        "reason": reason,
        "message": message,
        "attempts": str(attempts),
        "first": (_first_death(record.headers, now) or now).isoformat(),
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
    added = tuple((PREFIX + name, text.encode("utf-8", "replace")) for name, text in facts.items())
    headers = tuple((_storable(name), value) for name, value in original_headers(record.headers))
    return OutboxRow(topic=topic, key=record.key, value=record.value, headers=headers + added)


def _storable(name: str) -> str:
    return name.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()


def _first_death(headers: Headers, now: datetime) -> datetime | None:
    """Return when an event died first, as its redrive says; anyone can write headers, so it may be no such time."""
    text = next((value for name, value in headers if name == FIRST), None)
    try:
        first = None if text is None else datetime.fromisoformat(text.decode())
    except ValueError:
        return None
    return None if first is None or first.tzinfo is None or first > now else first
