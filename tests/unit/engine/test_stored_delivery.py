"""What is stored of a delivery brings the same delivery back."""

from __future__ import annotations

import pytest

from agentopic.core import AgentId, TopicId
from agentopic.engine.delivery import Delivery, read_delivery
from agentopic.envelope import Envelope
from agentopic.envelope.content_mode import ContentMode
from agentopic.envelope.kafka import decode_record, encode
from agentopic.errors import JournalError
from agentopic.ports.journal import Started
from agentopic.ports.transport import Headers, Record

EVENT = Envelope(
    id="1",
    source="/outside",
    type="orders.OrderPlaced.v1",
    subject="customer-ü",
    datacontenttype="application/json",
    data=b'{"n": 1}',
    extensions={"correlationid": "run-1", "aghops": 3, "vip": True},
)


def delivery(*, key: bytes | None = b"k", mode: ContentMode = ContentMode.BINARY, more: Headers = ()) -> Delivery:
    message = encode(EVENT, mode=mode)
    headers = (*message.headers, *more)
    record = Record(
        topic="ns.topic.orders",
        partition=3,
        offset=2**40,
        timestamp_ms=1_700_000_000_000,
        key=key,
        value=message.value,
        headers=headers,
    )
    agent = AgentId("clerk", "customer-ü")
    return Delivery(
        agent=agent, topic=TopicId("orders", ""), envelope=decode_record(headers, record.value), record=record
    )


def started(stored: Delivery) -> Started:
    incoming = stored.incoming("ns.clerk")
    return Started(
        lane=incoming.lane,
        group=incoming.group,
        key=incoming.key,
        token=1,
        pos=1,
        identity=incoming.identity,
        head=incoming.head,
        body=incoming.body,
    )


@pytest.mark.parametrize(
    "stored",
    [
        delivery(),
        delivery(key=None),
        delivery(key=b""),
        delivery(mode=ContentMode.STRUCTURED),
        delivery(more=(("x-\0\ud800", b"\xff"), ("Content-Encoding", b""), ("ce_Odd", b"\xff"))),
    ],
    ids=["binary", "without key", "with an empty key", "structured", "with foreign headers"],
)
def test_a_stored_delivery_comes_back_as_it_was(stored: Delivery) -> None:
    assert read_delivery(started(stored)) == stored


def test_a_stored_request_keeps_its_id_and_has_no_topic() -> None:
    plain = delivery()
    request = Delivery(
        agent=plain.agent, topic=None, envelope=plain.envelope, record=plain.record, request_id="request-ü"
    )

    assert read_delivery(started(request)) == request


def test_a_delivery_of_an_unknown_format_is_an_error_that_names_its_agent() -> None:
    known = started(delivery())
    unknown = Started(
        lane=known.lane, group=known.group, key=known.key, token=1, pos=1, head=b"\x7f" + known.head[1:], body=None
    )

    with pytest.raises(JournalError, match="customer-ü"):
        read_delivery(unknown)
