"""Where the time of one durable turn goes: its parts in µs, each the best of many runs, and the engine as a whole.

The whole is measured on the in-memory transport and journal, so that it is the engine's own; the rest of a turn's time
is the client's of Kafka and of the database, which `durable_kafka` and `journal` measure.
"""

from __future__ import annotations

import asyncio
import json
import sys
import timeit
from collections.abc import Callable, Mapping

from agentopic import wiring
from agentopic.adapters.transport.admission import admit
from agentopic.core import AgentId, TopicId
from agentopic.core._serialization_registry import SerializationRegistry
from agentopic.engine.collector import calm_collector
from agentopic.engine.delivery import Delivery, read_delivery
from agentopic.engine.options import EngineOptions
from agentopic.engine.payloads import read_payload, write_payload
from agentopic.engine.records import read_envelope
from agentopic.envelope import Envelope, derive_id
from agentopic.envelope.kafka_headers import pack_headers
from agentopic.envelope.kafka_publish import publish_headers, sender
from agentopic.ports.journal import Started
from agentopic.ports.transport import OutgoingRecord, Record
from benchmarks import _service
from benchmarks._preload import fill, task_record
from benchmarks._scale import scaled

_CALLS = 150
_RUNS = 100
_NAMESPACE = "turns"
_GROUP = "turns.reporter"


def run() -> dict[str, object]:
    """Return µs per part and of the whole engine per turn."""
    calm_collector()
    parts = {name: _best(call) for name, call in _parts().items()}
    whole = asyncio.run(_engine())
    return {
        "parts, µs": {name: round(cost, 2) for name, cost in parts.items()},
        "sum of these parts, µs": round(sum(parts.values()), 1),
        "engine on memory transport and journal, µs of CPU": round(whole, 1),
    }


def _best(call: Callable[[], object]) -> float:
    return min(timeit.repeat(call, number=_CALLS, repeat=_RUNS)) / _CALLS * 1e6


def _parts() -> Mapping[str, Callable[[], object]]:
    sent = task_record(_NAMESPACE, "turns.topic.task", 17)
    record = Record(
        topic=sent.topic,
        partition=1,
        offset=5,
        timestamp_ms=1_700_000_000_000,
        key=sent.key,
        value=sent.value,
        headers=sent.headers,
    )
    options = EngineOptions(namespace=_NAMESPACE)
    envelope = read_envelope(record, options)
    agent, topic = AgentId("reporter", "customer-17"), TopicId("task", "customer-17")
    delivery = Delivery(agent=agent, topic=topic, envelope=envelope, record=record)
    stored = delivery.incoming(_GROUP)
    started = Started(
        lane=stored.lane,
        group=_GROUP,
        key=stored.key,
        token=1,
        pos=1,
        identity=stored.identity,
        head=stored.head,
        body=stored.body,
    )
    known = SerializationRegistry(_NAMESPACE)
    known.add_class(_service.Task)
    known.add_class(_service.Report)
    report = _service.Report(1, "x" * 480)
    outgoing = OutgoingRecord(topic="turns.topic.report", key=sent.key, value=sent.value, headers=sent.headers)
    return {
        "intake: record to checked envelope": lambda: read_envelope(record, options),
        "intake: envelope to what is stored": lambda: delivery.incoming(_GROUP),
        "start: what was stored to delivery": lambda: read_delivery(started),
        "handler: data to payload": lambda: read_payload(known, _NAMESPACE, envelope),
        "publish: payload to data": lambda: write_payload(known, report),
        "publish: id": lambda: derive_id("output", str(agent), envelope.source, envelope.id, 0, 0),
        "publish: checked headers": lambda: _published(envelope, agent),
        "commit: headers to one column": lambda: pack_headers(sent.headers),
        "send: checks and partition": lambda: admit(outgoing, 8, 1 << 20, lambda _: 0),
    }


def _published(cause: Envelope, agent: AgentId) -> object:
    return publish_headers(
        cause,
        sender(_NAMESPACE, agent.type, agent.key),
        event_id=cause.id,
        payload_type="bench.Report.v1",
        datacontenttype="application/json",
        topic_type="report",
        topic_source=agent.key,
        at_ms=1_700_000_000_123,
    )


async def _engine() -> float:
    turns, costs = scaled(3_000, least=1_000), list[float]()
    for number in range(5):
        url, namespace = f"memory://turns-{number}", f"turns-{number}"
        kept = wiring.transport_of(url)  # a log in memory lives as long as somebody holds it
        await fill(url, namespace, turns)
        _service.Reporter.seen = 0
        pace = await _service.work_off(url, url, namespace, turns)
        await kept.transport.aclose()
        costs.append(pace.cpu_seconds / turns * 1e6)
    return min(costs)


if __name__ == "__main__":
    json.dump(run(), sys.stdout, indent=2)
