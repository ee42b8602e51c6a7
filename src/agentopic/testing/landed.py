"""What has come to lie in the topics of a memory log: events, dead letters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agentopic.adapters.transport.memory_log import MemoryLog
from agentopic.engine.deadletters import PREFIX
from agentopic.envelope import Envelope
from agentopic.envelope.kafka import decode_record
from agentopic.envelope.kafka_topics import dead_letters, topic_events
from agentopic.ports.transport import Record, TopicPartition


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A delivery that was given up."""

    reason: str
    """The error's class name."""
    message: str
    record: Record
    """As it came, with the facts of its death."""


class Landed:
    """The topics of one namespace."""

    def __init__(self, log: MemoryLog, namespace: str) -> None:
        self._log, self._namespace = log, namespace

    def events(self, topic: str) -> Sequence[Envelope]:
        """Return the events of a topic type in the order of their partitions, each once.

        What is published again after a crash has the same source and id, and is left out here as receivers do.
        """
        records = self._records(topic_events(self._namespace, topic))
        events = [decode_record(each.headers, each.value) for each in records]
        return list({(each.source, each.id): each for each in reversed(events)}.values())[::-1]

    def dead_letters(self, agent_type: str) -> Sequence[DeadLetter]:
        """Return what an agent type has given up, each letter once, as `events` does."""
        letters: list[DeadLetter] = []
        records = self._records(dead_letters(self._namespace, agent_type))
        for record in {(each.value, tuple(each.headers)): each for each in records}.values():
            facts = {name: value.decode() for name, value in record.headers if name.startswith(PREFIX)}
            reason, message = facts.get(f"{PREFIX}reason", ""), facts.get(f"{PREFIX}message", "")
            letters.append(DeadLetter(reason=reason, message=message, record=record))
        return letters

    def _records(self, topic: str) -> Sequence[Record]:
        count = self._log.topics().get(topic, 0)
        return [each for index in range(count) for each in self._log.partition(TopicPartition(topic, index))]
