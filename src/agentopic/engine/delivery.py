"""A delivery: one envelope for one agent, as it is stored in and read back from the journal."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from struct import Struct

from agentopic.core import AgentId, TopicId
from agentopic.core._immutable import immutable
from agentopic.envelope import Envelope
from agentopic.envelope.kafka import restore_record
from agentopic.envelope.kafka_headers import pack_headers, unpack_headers
from agentopic.errors import JournalError
from agentopic.ports.journal import Incoming, ReplyAddress, Started
from agentopic.ports.transport import Record, TopicPartition

_FORMAT = 1
_FIXED = Struct(">Biqq7i")
"""Format, partition, offset and time of the record, and seven lengths."""
_NONE = -1


@lru_cache(maxsize=4096)
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


@immutable
class Delivery:
    """One envelope for one agent, with the record it came in, byte for byte."""

    agent: AgentId
    topic: TopicId | None
    """The topic it was published to; None for a request."""
    envelope: Envelope
    record: Record
    request_id: str | None = None
    caller: bytes | None = None
    """Lane of the agent whose turn waits for the answer; only known while it is being stored."""

    def incoming(self, group: str) -> Incoming:
        """Return the delivery as the journal stores it."""
        expiry = self.envelope.expirytime
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
            deadline_ms=None if expiry is None else int(expiry.timestamp() * 1000),
            caller=self.caller,
        )


def _head(delivery: Delivery) -> bytes:
    """Pack what is stored beside the body: fixed numbers, the lengths of the texts, the texts, the headers."""
    agent, topic, record, request = delivery.agent, delivery.topic, delivery.record, delivery.request_id
    texts = (
        agent.type.encode(),
        agent.key.encode(),
        None if topic is None else topic.type.encode(),
        None if topic is None else topic.source.encode(),
        record.topic.encode(),
        record.key,
        None if request is None else request.encode(),
    )
    lengths = [_NONE if text is None else len(text) for text in texts]
    numbers = _FIXED.pack(_FORMAT, record.partition, record.offset, record.timestamp_ms, *lengths)
    return b"".join((numbers, *filter(None, texts), pack_headers(record.headers)))


def read_delivery(started: Started) -> Delivery:
    """Return the delivery at the head of a lane; it was valid when it was stored."""
    head = started.head
    stored_format, partition, offset, timestamp_ms, *lengths = _FIXED.unpack_from(head)
    if stored_format != _FORMAT:
        raise JournalError(f"a delivery for {started.key!r} is stored in format {stored_format}: run the newer program")
    texts: list[bytes | None] = []
    at = _FIXED.size
    for length in lengths:
        if length == _NONE:
            texts.append(None)
            continue
        texts.append(head[at : at + length])
        at += length
    agent_type, agent_key, topic_type, topic_source, kafka_topic, key, request = texts
    headers = unpack_headers(head[at:])
    return Delivery(
        agent=AgentId(_text(agent_type), _text(agent_key)),
        topic=None if topic_type is None else TopicId(_text(topic_type), _text(topic_source)),
        envelope=restore_record(headers, started.body),
        record=Record(
            topic=_text(kafka_topic),
            partition=partition,
            offset=offset,
            timestamp_ms=timestamp_ms,
            key=key,
            value=started.body,
            headers=headers,
        ),
        request_id=None if request is None else request.decode(),
    )


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode()
