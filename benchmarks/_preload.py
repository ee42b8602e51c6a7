"""Filling a topic with tasks before anybody reads it, so that the load generator takes no time from the measured."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from agentopic import wiring
from agentopic.envelope import Envelope, new_id
from agentopic.envelope.kafka import encode
from agentopic.envelope.kafka_topics import topic_events
from agentopic.ports.admin import TopicSpec
from agentopic.ports.transport import OutgoingRecord, Sent, Transport
from benchmarks._shape import KEYS, PARTITIONS, TEXT

_BATCH = 500


async def fill(transport_url: str, namespace: str, tasks: int, *, keys: int = KEYS) -> str:
    """Write tasks for so many agents in turn and return the Kafka topic; the reports' topic exists afterwards, too."""
    wires = wiring.transport_of(transport_url)
    topic = topic_events(namespace, "task")
    await wires.transport.start()
    try:
        wanted = (topic, topic_events(namespace, "report"))
        await wires.admin.create([TopicSpec(name=name, partitions=PARTITIONS) for name in wanted])
        for start in range(0, tasks, _BATCH):
            numbers = range(start, min(tasks, start + _BATCH))
            records = [task_record(namespace, topic, each, key=f"customer-{each % keys}") for each in numbers]
            await write(wires.transport, records)
    finally:
        await wires.admin.aclose()
        await wires.transport.aclose()
    return topic


async def write(transport: Transport, records: Sequence[OutgoingRecord]) -> None:
    """Send records; any that is not acknowledged ends the benchmark."""
    for result in await transport.send(records):
        if not isinstance(result, Sent):
            raise result


def task_record(namespace: str, topic: str, number: int, *, text: str = TEXT, key: str | None = None) -> OutgoingRecord:
    """Return one task as an outside publisher of agentopic writes it: about 500 bytes of data."""
    key = key or f"customer-{number % KEYS}"
    event_id = new_id()
    envelope = Envelope(
        id=event_id,
        source=f"/{namespace}/publishers",
        type="bench.Task.v1",
        subject=key,
        time=datetime.now(UTC),
        datacontenttype="application/json",
        data=json.dumps({"number": number, "text": text}).encode(),
        extensions={
            "correlationid": event_id,
            "agtopictype": "task",
            "agtopicsource": key,
            "agmsgkind": "publish",
        },
    )
    message = encode(envelope, key=key.encode())
    return OutgoingRecord(topic=topic, key=message.key, value=message.value, headers=message.headers)
