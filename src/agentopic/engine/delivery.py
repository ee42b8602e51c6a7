"""A delivery: one envelope for one agent, as it is stored in and read back from the journal."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import blake2b

from agentopic.core import AgentId, TopicId
from agentopic.envelope import Envelope
from agentopic.envelope.kafka import decode_record
from agentopic.ports.journal import Incoming, ReplyAddress, Started
from agentopic.ports.transport import Headers, Record, TopicPartition


def lane_id(group: str, key: str) -> bytes:
    """Return the 16-byte digest under which the journal keeps the lane of one agent."""
    return _digest(group, key)


def identity(agent: AgentId, envelope: Envelope) -> bytes:
    """Return the digest that tells a repeat from a new delivery."""
    return _digest(agent.type, agent.key, envelope.source, envelope.id, str(envelope.agredrive))


def _digest(*parts: str) -> bytes:
    digest = blake2b(digest_size=16)
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(raw))
        digest.update(raw)
    return digest.digest()


def reply_address(envelope: Envelope) -> ReplyAddress | None:
    """Return where the answer of a request goes: `agreplyto` is `<topic>/<partition>`; None when there is none."""
    topic, slash, partition = (envelope.agreplyto or "").rpartition("/")
    if not slash or not topic or not partition.isdecimal():
        return None
    return ReplyAddress(topic, int(partition))


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One envelope for one agent, with the record it came in, byte for byte."""

    agent: AgentId
    topic: TopicId | None
    """The topic it was published to; None for a request."""
    envelope: Envelope
    record: Record
    request_id: str | None = None

    def incoming(self, group: str) -> Incoming:
        """Return the delivery as the journal stores it."""
        return Incoming(
            lane=lane_id(group, self.agent.key),
            group=group,
            key=self.agent.key,
            identity=identity(self.agent, self.envelope),
            head=_head(self),
            body=self.record.value,
            partition=TopicPartition(self.record.topic, self.record.partition),
            request_id=self.request_id,
            reply_to=reply_address(self.envelope) if self.request_id is not None else None,
        )


def _head(delivery: Delivery) -> bytes:
    record, topic = delivery.record, delivery.topic
    head = {
        "agent": [delivery.agent.type, delivery.agent.key],
        "topic": None if topic is None else [topic.type, topic.source],
        "record": [record.topic, record.partition, record.offset, record.timestamp_ms],
        "key": _text(record.key),
        "headers": [[name, _text(value)] for name, value in record.headers],
        "request": delivery.request_id,
    }
    return json.dumps(head, separators=(",", ":")).encode()


def read_delivery(started: Started) -> Delivery:
    """Return the delivery at the head of a lane; it was valid when it was stored."""
    head = json.loads(started.head)
    kafka_topic, partition, offset, timestamp_ms = head["record"]
    headers: Headers = tuple((name, _bytes(value) or b"") for name, value in head["headers"])
    size = len(started.head) + len(started.body or b"")
    return Delivery(
        agent=AgentId(*head["agent"]),
        topic=None if head["topic"] is None else TopicId(*head["topic"]),
        envelope=decode_record(headers, started.body, max_bytes=size),
        record=Record(
            topic=kafka_topic,
            partition=partition,
            offset=offset,
            timestamp_ms=timestamp_ms,
            key=_bytes(head["key"]),
            value=started.body,
            headers=headers,
        ),
        request_id=head["request"],
    )


def _text(raw: bytes | None) -> str | None:
    # Latin-1 maps every byte to one character and back, whatever the header holds.
    return None if raw is None else raw.decode("latin-1")


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode("latin-1")
