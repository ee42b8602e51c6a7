"""Enclosing: middleware around the handlers of process-lived agents, which are given a delivery as services are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from agentopic.core import AgentId, MessageContext, TopicId
from agentopic.core._serialization_registry import SerializationRegistry
from agentopic.engine.delivery import Delivery
from agentopic.engine.middleware import Middleware, compose
from agentopic.engine.payloads import write_payload
from agentopic.engine.process_lived.causes import caused
from agentopic.engine.turn import Content
from agentopic.envelope import Envelope, ExtensionValue, agent_source
from agentopic.envelope import attributes as names
from agentopic.envelope.kafka import encode
from agentopic.errors import PayloadError
from agentopic.ports.transport import Record

NOWHERE = -1
"""Partition and offset of a message that was not read from the log."""


async def enclosed(
    middleware: Sequence[Middleware],
    envelope: Envelope,
    agent: AgentId,
    topic: TopicId | None,
    handle: Callable[[Envelope], Awaitable[Any]],
) -> Any:
    """Return what `handle` returns, or the middleware around it; `handle` gets the envelope that comes through it.

    The delivery's record is the event as it travels, with partition and offset -1.
    """
    if not middleware:
        return await handle(envelope)
    message = encode(envelope)
    millis = 0 if envelope.time is None else int(envelope.time.timestamp() * 1000)
    record = Record(
        topic="",
        partition=NOWHERE,
        offset=NOWHERE,
        timestamp_ms=millis,
        key=message.key,
        value=message.value,
        headers=message.headers,
    )
    request_id = (envelope.agrequestid or envelope.id) if topic is None else None
    delivery = Delivery(agent=agent, topic=topic, envelope=envelope, record=record, request_id=request_id)
    return await compose(middleware, lambda given: handle(given.envelope))(delivery)


def plain_call(
    serializers: SerializationRegistry,
    namespace: str,
    message: Any,
    agent: AgentId,
    context: MessageContext,
    *,
    now: datetime,
) -> Envelope:
    """Return the request that a call inside of the process would be; without data when it cannot be serialised."""
    try:
        content = write_payload(serializers, message)
    except PayloadError:
        content = Content(type=type(message).__name__, datacontenttype=None, data=None)
    extensions: dict[str, ExtensionValue] = {
        **caused(context.message_id),
        names.AGMSGKIND: names.KIND_REQUEST,
        names.AGREQUESTID: context.message_id,
        names.AGTARGETTYPE: agent.type,
        names.AGTARGETKEY: agent.key,
    }
    source = f"/{namespace}/publishers"
    if context.sender is not None:
        source = agent_source(namespace, context.sender.type, context.sender.key)
        extensions |= {names.AGAGENTSENDERTYPE: context.sender.type, names.AGAGENTSENDERKEY: context.sender.key}
    return Envelope(
        id=context.message_id,
        source=source,
        type=content.type,
        subject=agent.key or None,
        time=now,
        datacontenttype=content.datacontenttype,
        data=content.data,
        extensions=extensions,
    )
