"""Settlements: the notes in a dead-letter topic of who dealt with which letter, when, how and why."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from agentopic.engine.deadletters import PREFIX
from agentopic.envelope import Envelope, new_id
from agentopic.envelope.kafka import encode
from agentopic.errors import PayloadError
from agentopic.ports.transport import OutgoingRecord, Record
from agentopic.telemetry.loggers import get_logger

log = get_logger(__name__)

SETTLED: Final = PREFIX + "settled"
"""The header that tells a note from a letter: no letter has it, since no fact of that name is ever added to one."""

SETTLED_TYPE: Final = "agentopic.DeadLetterSettled.v1"

Action = Literal["redriven", "discarded"]


class Settlement(BaseModel):
    """What was done about one letter."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    partition: int = Field(ge=0)
    offset: int = Field(ge=0)
    """Where the letter lies in its dead-letter topic."""
    action: Action
    actor: str
    time: AwareDatetime
    why: str | None = None
    redrive: int | None = None
    """The redrive number it was sent with."""
    fresh: bool = False


def settlement_record(
    settlement: Settlement, *, topic: str, key: bytes | None, namespace: str, now: datetime
) -> OutgoingRecord:
    """Return the note, a CloudEvent, for the partition of the letter: it is always read after it."""
    event = Envelope(
        id=new_id(),
        source=f"/{namespace}/dlq",
        type=SETTLED_TYPE,
        subject=f"{settlement.partition}:{settlement.offset}",
        time=now,
        datacontenttype="application/json",
        data=settlement.model_dump_json(exclude_none=True).encode(),
    )
    message = encode(event)
    return OutgoingRecord(
        topic=topic,
        key=key,
        value=message.value,
        headers=(*message.headers, (SETTLED, settlement.action.encode())),
        partition=settlement.partition,
    )


def read_settlement(record: Record) -> Settlement | None:
    """Return the note a record of a dead-letter topic is; None for a letter."""
    if not any(name == SETTLED for name, _ in record.headers):
        return None
    try:
        return _settlement(record)
    except PayloadError as exc:
        log.warning("a note in a dead-letter topic cannot be read", kafka_topic=record.topic, detail=str(exc))
        return None


def _settlement(record: Record) -> Settlement:
    try:
        note = Settlement.model_validate_json(record.value or b"")
    except ValidationError as exc:
        raise PayloadError(f"{record.topic}[{record.partition}]@{record.offset} is no settlement: {exc}") from exc
    if note.partition != record.partition:
        raise PayloadError(f"{record.topic}[{record.partition}]@{record.offset} is about another partition")
    return note
