"""What topics services own, set against what the broker has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agentopic.ports.admin import TopicAdmin, TopicSpec
    from agentopic.settings import Settings


async def owned_topics(settings: Settings, targets: Sequence[str]) -> Sequence[TopicSpec]:
    """Return the topics that the services behind the targets own, as they would be created.

    Raises:
        ConfigError: a target names no service, or a service cannot be registered.
    """
    from agentopic import wiring
    from agentopic.cli.target import load_services
    from agentopic.engine.runtime import EngineRuntime

    # Registered only, never started: the journal plays no part in which topics there are.
    unstarted = settings.model_copy(update={"journal": "memory://"})
    runtime = EngineRuntime(wiring.mesh(unstarted), wiring.engine_options(settings))
    for service in load_services(targets):
        await service.register(runtime)
    return tuple(sorted(runtime.topics_plan(), key=lambda spec: spec.name))


def plan_rows(specs: Sequence[TopicSpec], existing: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return one row per topic: `exists`, `create`, or how many partitions it has instead."""
    return [
        {
            "topic": spec.name,
            "partitions": spec.partitions,
            "replication": spec.replication,
            "config": dict(spec.config),
            "status": _status(spec, existing.get(spec.name)),
        }
        for spec in specs
    ]


async def listed_topics(admin: TopicAdmin, namespace: str | None) -> list[dict[str, Any]]:
    """Return one row per topic of the namespace, of all without one, with the records each holds now."""
    from agentopic.envelope.kafka_topics import parse_topic
    from agentopic.ports.transport import TopicPartition

    counts = await admin.topics()
    parsed = {name: parse_topic(name) for name in sorted(counts)}
    shown = [name for name, parts in parsed.items() if namespace is None or (parts and parts.namespace == namespace)]
    ranges = await admin.offsets(TopicPartition(name, number) for name in shown for number in range(counts[name]))
    records = dict.fromkeys(shown, 0)
    for part, found in ranges.items():
        records[part.topic] += found.end - found.beginning
    return [
        {
            "topic": name,
            "kind": parts.kind if (parts := parsed[name]) else None,
            "name": (parts.name or None) if parts else None,
            "partitions": counts[name],
            "records": records[name],
        }
        for name in shown
    ]


def _status(spec: TopicSpec, partitions: int | None) -> str:
    if partitions is None:
        return "create"
    return "exists" if partitions == spec.partitions else f"has {partitions} partitions"
