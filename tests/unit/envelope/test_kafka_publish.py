"""What an agent publishes has the headers that its envelope would be written with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentopic.envelope import Envelope, agent_source
from agentopic.envelope.kafka import encode, extension_headers
from agentopic.envelope.kafka_publish import Header, publish_headers, sender
from agentopic.errors import EnvelopeError

from .strategies import envelopes, media_types, nonempty, texts

CAUSE = Envelope(id="1", source="/shop", type="shop.Order.v1")


def published(**changes: str | None) -> tuple[Header, ...]:
    said = {"event_id": "2", "payload_type": "shop.Bill.v1", "datacontenttype": None, "topic_source": "k", "key": "k"}
    said |= changes
    return publish_headers(
        CAUSE,
        sender("ns", "clerk", said["key"] or ""),
        event_id=said["event_id"] or "",
        payload_type=said["payload_type"] or "",
        datacontenttype=said["datacontenttype"],
        topic_type="bills",
        topic_source=said["topic_source"] or "",
        at_ms=0,
    )


@given(
    envelopes(),
    texts,
    nonempty,
    nonempty,
    st.none() | media_types,
    texts,
    st.integers(0, 253_402_300_799_999),
    st.sampled_from([{}, {"dataref": "ni:///x", "agdatasha256": "00"}]),
)
def test_headers_are_those_of_the_encoded_envelope(
    cause: Envelope,
    key: str,
    event_id: str,
    payload_type: str,
    media_type: str | None,
    topic_source: str,
    at_ms: int,
    extensions: dict[str, str],
) -> None:
    inherited = {name: cause.extensions[name] for name in ("traceparent", "tracestate") if name in cause.extensions}
    whole = Envelope(
        id=event_id,
        source=agent_source("ns", "clerk", key),
        type=payload_type,
        subject=topic_source or None,
        time=datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=at_ms),
        datacontenttype=media_type,
        extensions={
            "correlationid": cause.correlationid or cause.id,
            "causationid": cause.id,
            "aghops": min(cause.aghops, 2**31 - 2) + 1,
            **inherited,
            **extensions,
            "agtopictype": "bills",
            "agtopicsource": topic_source,
            "agmsgkind": "publish",
            "agagentsendertype": "clerk",
            "agagentsenderkey": key,
        },
    )

    headers = publish_headers(
        cause.with_extensions(aghops=min(cause.aghops, 2**31 - 2)),
        sender("ns", "clerk", key),
        event_id=event_id,
        payload_type=payload_type,
        datacontenttype=media_type,
        topic_type="bills",
        topic_source=topic_source,
        at_ms=at_ms,
        extensions=extension_headers(extensions),
    )

    assert headers == encode(whole).headers


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("event_id", "\n"),
        ("event_id", "x" * 1025),
        ("payload_type", ""),
        ("payload_type", "x\0"),
        ("datacontenttype", "json"),
        ("topic_source", "\ud800"),
        ("topic_source", "é" * 513),
        ("key", "\x7f"),
        ("key", "\udfff"),
        ("key", "x" * 1025),
    ],
)
def test_what_no_envelope_can_hold_is_refused(name: str, value: str) -> None:
    with pytest.raises(EnvelopeError):
        published(**{name: value})


def test_an_empty_topic_source_is_no_subject() -> None:
    headers = dict(published(topic_source=""))

    assert "ce_subject" not in headers
    assert headers["ce_agtopicsource"] == b""
