"""The headers of what an agent publishes in its turn, written straight from the event that caused it.

They are those that `kafka.encode` gives for the same event. An agent says much that is the same each time: that is
checked and encoded once.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from agentopic.envelope import attributes as names
from agentopic.envelope.envelope import Envelope
from agentopic.envelope.source import agent_source
from agentopic.envelope.timestamp import format_millis
from agentopic.envelope.validation import check_media_type, check_required, check_text

Header: TypeAlias = tuple[str, bytes]

_VERSION: Final[Header] = ("ce_specversion", b"1.0")
_PUBLISH: Final[Header] = (f"ce_{names.AGMSGKIND}", names.KIND_PUBLISH.encode())
_CORRELATION: Final = f"ce_{names.CORRELATIONID}"
_CAUSATION: Final = f"ce_{names.CAUSATIONID}"
_HOPS: Final = f"ce_{names.AGHOPS}"
_TOPIC_TYPE: Final = f"ce_{names.AGTOPICTYPE}"
_TOPIC_SOURCE: Final = f"ce_{names.AGTOPICSOURCE}"
_TRACE: Final = tuple((name, f"ce_{name}") for name in (names.TRACEPARENT, names.TRACESTATE))


class Sender(NamedTuple):
    """How an agent is named in all it publishes."""

    source: Header
    type: Header
    key: Header


@lru_cache(maxsize=4096)
def sender(namespace: str, agent_type: str, agent_key: str) -> Sender:
    """Return the headers that name an agent.

    Raises:
        EnvelopeError: a name that no attribute can hold.
    """
    source = agent_source(namespace, agent_type, agent_key)
    check_required("source", source)
    check_text(names.AGAGENTSENDERTYPE, agent_type)
    check_text(names.AGAGENTSENDERKEY, agent_key)
    return Sender(
        ("ce_source", source.encode()),
        (f"ce_{names.AGAGENTSENDERTYPE}", agent_type.encode()),
        (f"ce_{names.AGAGENTSENDERKEY}", agent_key.encode()),
    )


def publish_headers(
    cause: Envelope,
    sender: Sender,
    *,
    event_id: str,
    payload_type: str,
    datacontenttype: str | None,
    topic_type: str,
    topic_source: str,
    at_ms: int,
    extensions: tuple[Header, ...] = (),
) -> tuple[Header, ...]:
    """Return the headers of an event that goes to a topic under its source as the key.

    `at_ms` is its time, in ms since the epoch; `extensions` are headers of its payload, as they are.

    Raises:
        EnvelopeError: an attribute that CloudEvents 1.0 or a limit of `attributes` forbids.
    """
    check_required("id", event_id)
    check_text(names.AGTOPICSOURCE, topic_source)
    inherited = cause.extensions
    source = topic_source.encode()
    return (
        _VERSION,
        ("ce_id", event_id.encode()),
        sender.source,
        _payload_type(payload_type),
        *((("ce_subject", source),) if source else ()),
        ("ce_time", format_millis(at_ms).encode()),
        *_content_type(datacontenttype),
        (_CORRELATION, (cause.correlationid or cause.id).encode()),
        (_CAUSATION, cause.id.encode()),
        (_HOPS, b"%d" % cause.next_hops),
        *[(header, str(inherited[name]).encode()) for name, header in _TRACE if name in inherited],
        *extensions,
        (_TOPIC_TYPE, topic_type.encode()),
        (_TOPIC_SOURCE, source),
        _PUBLISH,
        sender.type,
        sender.key,
    )


@lru_cache(maxsize=1024)
def _payload_type(name: str) -> Header:
    check_required("type", name)
    return "ce_type", name.encode()


@lru_cache(maxsize=256)
def _content_type(media_type: str | None) -> tuple[Header, ...]:
    if media_type is None:
        return ()
    check_media_type(media_type)
    return (("content-type", media_type.encode()),)
