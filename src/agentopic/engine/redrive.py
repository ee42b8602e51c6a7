"""Redrive: a dead letter is sent again, to the agent that failed alone, under the next redrive number."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from agentopic.core import AgentId, TopicId
from agentopic.engine.deadletters import FIRST, original_headers
from agentopic.engine.letters import DeadLetter, letter_envelope
from agentopic.envelope import Envelope
from agentopic.envelope import attributes as names
from agentopic.envelope.content_mode import JSON_FORMATS, PROTOBUF_FORMAT, ContentMode
from agentopic.envelope.kafka import encode, topic_source
from agentopic.envelope.kafka_topics import agent_requests, parse_topic
from agentopic.envelope.media_type import essence
from agentopic.errors import AgentopicError, RedriveError
from agentopic.ports.transport import Headers, OutgoingRecord, Record

_CONTENT_TYPE: Final = "content-type"
_NOT_SENT: Final = frozenset({"dead", "control", "replies", "runs", "stream"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RedrivePlan:
    """What redriving a letter would do."""

    letter: DeadLetter
    topic: str
    agent: AgentId | None
    """The one agent that will see it; None for an output that the broker refused, which goes where it was meant to."""
    number: int
    """The redrive number it gets: another one than before, so that it is no repeat."""
    unanswered: bool
    """Whether a request is sent without its reply address and deadline, because the deadline is over."""


def plan_redrive(letter: DeadLetter, *, namespace: str, now: datetime) -> RedrivePlan:
    """Return what redriving a letter would do.

    Raises:
        RedriveError: it cannot be redriven; the message says why and what can be done instead.
    """
    parsed = letter.origin_kind
    if parsed is not None and parsed.kind in _NOT_SENT:
        raise RedriveError(f"it came from {letter.origin!r} and is no delivery: send a correct one")
    if letter.event is None:
        raise RedriveError(f"it holds no event that can be read: {letter.fault}; publish a correct one")
    if letter.is_unsent:
        return RedrivePlan(
            letter=letter, topic=letter.origin, agent=None, number=letter.event.redrive, unanswered=False
        )
    if letter.agent is None or letter.agent.type != letter.agent_type:
        raise RedriveError(f"it names no agent of the type {letter.agent_type!r}: {letter.fault or letter.agent}")
    if letter.event.redrive >= names.INTEGER_MAX:
        raise RedriveError("its redrive number is the highest there is: publish it anew")
    is_over = letter.event.expiry is not None and letter.event.expiry <= now
    return RedrivePlan(
        letter=letter,
        topic=agent_requests(namespace, letter.agent_type),
        agent=letter.agent,
        number=letter.event.redrive + 1,
        unanswered=is_over and letter.event.is_request,
    )


def redriven_record(
    record: Record, plan: RedrivePlan, *, partitions: int, fresh: bool, now: datetime, max_bytes: int
) -> OutgoingRecord:
    """Return the record that sends a letter again: its bytes and headers, the facts of its death taken off.

    Attributes are added or replaced as extensions: redrive number, target, and the topic the handler has seen. All
    letters of an agent go to one partition, so that they keep their order. An event in structured mode carries its
    attributes in its value, which is therefore written anew.

    Raises:
        RedriveError: it cannot be written with what is added.
    """
    headers = original_headers(record.headers)
    if plan.agent is None:
        partition = None if plan.letter.origin_partition < 0 else plan.letter.origin_partition
        return OutgoingRecord(
            topic=plan.topic, key=record.key, value=record.value, headers=headers, partition=partition
        )
    try:
        changes = _changes(letter_envelope(record, max_bytes), record, plan, plan.agent, fresh=fresh, now=now)
        value, headers = _changed(record, headers, changes, max_bytes)
    except AgentopicError as exc:
        raise RedriveError(f"it cannot be sent again: {exc}") from exc
    first = plan.letter.first
    kept = () if first is None else ((FIRST, first.isoformat().encode()),)
    partition = zlib.crc32(plan.agent.key.encode("utf-8", "surrogatepass")) % partitions
    return OutgoingRecord(topic=plan.topic, key=record.key, value=value, headers=(*headers, *kept), partition=partition)


def _changes(
    envelope: Envelope, record: Record, plan: RedrivePlan, agent: AgentId, *, fresh: bool, now: datetime
) -> dict[str, str | int | None]:
    """Return the extensions to set; None takes one away."""
    changes: dict[str, str | int | None] = {
        names.AGREDRIVE: plan.number,
        names.AGTARGETTYPE: agent.type,
        names.AGTARGETKEY: agent.key,
    }
    if fresh:
        changes[names.AGFRESH] = str(plan.number)
    expiry = envelope.expirytime
    if expiry is not None and expiry <= now:
        # It would only expire again; whoever asked has been told that nothing came of it.
        changes |= {names.EXPIRYTIME: None, names.AGREPLYTO: None}
    topic = _topic(envelope, record, plan.letter.origin)
    if topic is not None:
        changes |= {names.AGTOPICTYPE: topic.type, names.AGTOPICSOURCE: topic.source}
        if envelope.agmsgkind == names.KIND_REQUEST:
            changes[names.AGMSGKIND] = names.KIND_PUBLISH  # its publisher wrote so; it was none where it was read
    return changes


def _topic(envelope: Envelope, record: Record, origin: str) -> TopicId | None:
    """Return the topic the handler has seen, to be named now that the record is in another Kafka topic."""
    parsed = parse_topic(origin)
    if parsed is None or parsed.kind == "agent":
        return None
    return TopicId(envelope.agtopictype or parsed.name, topic_source(envelope, record.key))


def _changed(
    record: Record, headers: Headers, changes: dict[str, str | int | None], max_bytes: int
) -> tuple[bytes | None, Headers]:
    if _is_structured(headers):
        envelope = letter_envelope(record, max_bytes).with_extensions(**changes)
        message = encode(envelope, mode=ContentMode.STRUCTURED)
        foreign = tuple((name, value) for name, value in headers if name.lower() != _CONTENT_TYPE)
        return message.value, foreign + message.headers
    replaced = {f"ce_{name}" for name in changes}
    kept = tuple((name, value) for name, value in headers if name not in replaced)
    added = tuple((f"ce_{name}", str(value).encode()) for name, value in changes.items() if value is not None)
    return record.value, kept + added


def _is_structured(headers: Headers) -> bool:
    types = [value for name, value in headers if name.lower() == _CONTENT_TYPE]
    kind = essence(types[-1].decode("utf-8", "replace")) if types else ""
    return kind in JSON_FORMATS or kind == PROTOBUF_FORMAT
