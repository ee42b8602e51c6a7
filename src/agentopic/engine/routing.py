"""Step 2, Route: which topics an agent type reads, and which of its agents an event is for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from agentopic.core import AgentId, TopicId, TypePrefixSubscription, TypeSubscription
from agentopic.core._kernel import Kernel
from agentopic.engine.delivery import Delivery, lane_id
from agentopic.engine.mesh_names import parse_mesh_type
from agentopic.envelope import Envelope, agent_source
from agentopic.envelope import attributes as names
from agentopic.envelope.kafka import topic_source
from agentopic.envelope.kafka_topics import (
    agent_requests,
    consumer_group,
    control,
    dead_letters,
    parse_topic,
    topic_events,
    topic_events_pattern,
)
from agentopic.ports.transport import Record


class Router:
    """The routes of one agent type: its subscriptions and its request topic."""

    def __init__(self, kernel: Kernel, namespace: str, agent_type: str) -> None:
        self._kernel = kernel
        self._namespace = namespace
        self._type = agent_type
        self._agents = agent_source(namespace, "", "").removesuffix("/")
        self.requests = agent_requests(namespace, agent_type)
        self.control = control(namespace, agent_type)
        self.dead_letters = dead_letters(namespace, agent_type)

    def named_topics(self) -> Sequence[str]:
        """Return the Kafka topics of its type subscriptions: those that must exist for it to work."""
        mine = (each for each in self._kernel.subscriptions if isinstance(each, TypeSubscription))
        return sorted(
            {topic_events(self._namespace, each.topic_type) for each in mine if each.agent_type == self._type}
        )

    def readable(self, kafka_topics: Iterable[str]) -> Sequence[str]:
        """Return those of the given Kafka topics that this agent type reads."""
        named = {self.requests, *self.named_topics()}
        patterns = [
            re.compile(topic_events_pattern(self._namespace, each.topic_type_prefix))
            for each in self._kernel.subscriptions
            if isinstance(each, TypePrefixSubscription) and each.agent_type == self._type
        ]
        return [
            topic for topic in kafka_topics if topic in named or any(pattern.fullmatch(topic) for pattern in patterns)
        ]

    def is_complete(self, kafka_topics: Iterable[str]) -> bool:
        """Whether no topic can be missing among these: all named ones are there, and no prefix can find more."""
        open_ended = any(
            isinstance(each, TypePrefixSubscription) and each.agent_type == self._type
            for each in self._kernel.subscriptions
        )
        return not open_ended and {self.requests, *self.named_topics()}.issubset(kafka_topics)

    def readable_control(self, kafka_topics: Iterable[str]) -> Sequence[str]:
        """Return the one among the given Kafka topics that commands for this agent type are in."""
        return [topic for topic in kafka_topics if topic == self.control]

    def deliveries(self, record: Record, envelope: Envelope) -> Sequence[Delivery]:
        """Return what a record means for the agents of this type; none when it is for nobody here."""
        if record.topic == self.requests:
            return [self._request(record, envelope)]
        topic = topic_of(record, envelope)
        if topic is None:
            return []
        sender = sender_of(envelope)
        return [
            Delivery(agent=agent, topic=topic, envelope=envelope, record=record)
            for agent in self._kernel.recipients(topic)
            if agent.type == self._type and agent != sender
        ]

    def _request(self, record: Record, envelope: Envelope) -> Delivery:
        key = envelope.agtargetkey
        agent = AgentId(self._type, topic_source(envelope, record.key) if key is None else key)
        asked = envelope.agmsgkind == names.KIND_REQUEST
        return Delivery(
            agent=agent,
            topic=None if envelope.agtopictype is None else TopicId(envelope.agtopictype, envelope.agtopicsource or ""),
            envelope=envelope,
            record=record,
            request_id=(envelope.agrequestid or envelope.id) if asked else None,
            caller=self._caller(envelope) if asked else None,
        )

    def _caller(self, envelope: Envelope) -> bytes | None:
        """Return the lane whose turn waits for this request's answer; None when it was asked outside of any turn."""
        sender = sender_of(envelope)
        if sender is None or envelope.causationid is None or not envelope.source.startswith(self._agents):
            return None
        if parse_mesh_type(sender.type) is not None:
            return None  # its handlers interleave: it can be part of no cycle
        if envelope.agredrive:
            return None  # it has had its answer, the fault: a redriven request can be part of no cycle
        return lane_id(consumer_group(self._namespace, sender.type), sender.key)


def topic_of(record: Record, envelope: Envelope) -> TopicId | None:
    """Return the topic an event was published to; None for a record of another kind of Kafka topic."""
    if envelope.agtopictype is not None:
        return TopicId(envelope.agtopictype, topic_source(envelope, record.key))
    parsed = parse_topic(record.topic)
    return None if parsed is None else TopicId(parsed.name, topic_source(envelope, record.key))


def sender_of(envelope: Envelope) -> AgentId | None:
    """Return the agent that sent an event; None when it came from outside."""
    kind, key = envelope.agagentsendertype, envelope.agagentsenderkey
    return None if kind is None or key is None else AgentId(kind, key)
