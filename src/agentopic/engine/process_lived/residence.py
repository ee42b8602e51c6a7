"""Residence: the process-lived agents of one runtime, from registration to the end of their process."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from agentopic.core import AgentId, CancellationToken, TopicId
from agentopic.core._kernel import Kernel
from agentopic.engine.deadletters import told
from agentopic.engine.large_payloads import LargePayloads
from agentopic.engine.listener import Listener
from agentopic.engine.mesh import Mesh
from agentopic.engine.middleware import Middleware
from agentopic.engine.options import EngineOptions
from agentopic.engine.process_lived.causes import seconds_left
from agentopic.engine.process_lived.handling import Handling
from agentopic.engine.process_lived.hearing import Hearing, Wanted
from agentopic.engine.process_lived.members import Members
from agentopic.engine.process_lived.owner import Owner
from agentopic.engine.records import read_envelope
from agentopic.engine.routing import sender_of, topic_of
from agentopic.engine.sending import Sender
from agentopic.engine.topics import TopicCatalog
from agentopic.envelope import Envelope
from agentopic.envelope import attributes as names
from agentopic.errors import AgentopicError
from agentopic.ports.admin import OffsetRange
from agentopic.ports.transport import Record, TopicPartition
from agentopic.telemetry.loggers import get_logger

log = get_logger(__name__)


class Residence:
    """Agents that live with this process: what reaches them, and what they answer.

    They have no lane and no intake. They hear what is published after their registration, at most once, from all
    partitions of the topics they subscribe to; their handlers interleave; there are no second attempts.
    """

    def __init__(
        self,
        kernel: Kernel,
        mesh: Mesh,
        catalog: TopicCatalog,
        options: EngineOptions,
        *,
        large: LargePayloads,
        listener: Listener,
        sender: Sender,
        middleware: Sequence[Middleware] = (),
    ) -> None:
        self._kernel, self._catalog, self._options = kernel, catalog, options
        self._listener, self._clock = listener, mesh.clock
        self.members = Members(lambda: listener.id)
        self._handling = Handling(kernel, self.members, options, clock=mesh.clock, large=large, middleware=middleware)
        self.owner = Owner(
            self.members,
            self._handling,
            kernel.serializers,
            options,
            sender=sender,
            clock=mesh.clock,
            large=large,
        )
        self._hearing = Hearing(
            mesh,
            catalog,
            group=lambda: f"{options.namespace}.p-{listener.id}",
            hear=self._hear,
            is_full=lambda: self._handling.running >= options.message_queue_size,
        )
        self._is_open = False
        listener.on(names.KIND_REQUEST, self.owner.heard)
        listener.on(names.KIND_CONTROL, self.owner.commanded)

    # ── life ───────────────────────────────────────────────────────────────────────────────────────────────

    def add(self, agent_type: str) -> None:
        """Have the agents of a type live with this process."""
        if self.members.add(agent_type):
            log.warning(f"agents of type {agent_type!r} live with this process: they hear at most once and end with it")

    async def start(self) -> None:
        """Begin to hear; idempotent. Handlers are given the context variables of the code that calls this.

        Raises:
            TransportError: the broker does not answer.
        """
        if not self._is_open:
            self._handling.begin()
            self.owner.begin()
            self._is_open = True
        await self.listen()

    async def listen(self) -> None:
        """Hear what the subscriptions of now name; what they name newly, from now on. Before `start` do nothing.

        Raises:
            TransportError: the broker does not answer.
        """
        if not self._is_open or not len(self.members):
            return
        await self._listener.open()
        wanted = Wanted.of(self._options.namespace, self._kernel.subscriptions, self.members)
        if self._options.topics == "create":
            await self._catalog.ensure(self._catalog.specs(sorted(wanted.named)))
        await self._hearing.listen(wanted)

    async def settle(self, seconds: float) -> None:
        """Take nothing new and wait for the handlers that run, no longer than so many seconds."""
        self.owner.leave()
        await self._hearing.aclose()
        await self._handling.settle(seconds)

    async def aclose(self) -> None:
        """End: cut off what still runs and tell whoever waits for it. It may begin anew, under other mesh names."""
        self._is_open = False
        await self._hearing.aclose()
        await self.owner.aclose()
        await self._handling.aclose()

    async def close_agents(self) -> None:
        """Close the agents, and raise the first error when all are closed."""
        mine = [agent for agent_id, agent in self._kernel.instances.items() if agent_id.type in self.members]
        for outcome in await asyncio.gather(*(agent.close() for agent in mine), return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    # ── what is published ──────────────────────────────────────────────────────────────────────────────────

    def _hear(self, record: Record) -> None:
        try:
            envelope = read_envelope(record, self._options)
            topic = topic_of(record, envelope)
            if topic is not None:
                self.hear(envelope, topic)
        except AgentopicError as exc:
            log.warning("no valid event", kafka_topic=record.topic, offset=record.offset, error=str(exc))

    def hear(self, envelope: Envelope, topic: TopicId) -> None:
        """Have every agent of this process that subscribes to a topic, but the sender, handle an event."""
        sender = sender_of(envelope)
        own = None if sender is None else self.members.inside(sender)
        for agent in self._kernel.recipients(topic):
            if agent.type in self.members and agent != own and self._lives(agent):
                task = self._handling.spawn(envelope, agent, topic=topic)
                task.add_done_callback(partial(_told, agent, envelope))

    def _lives(self, agent: AgentId) -> bool:
        """Whether an agent is here, or is made on demand: topics carry events for other processes' instances, too."""
        return not self._kernel.is_instance_type(agent.type) or agent in self._kernel.instances

    def listens_to(self, kafka_topic: str) -> bool:
        """Whether agents of this process want to hear a Kafka topic, also one that does not exist."""
        return self._hearing.listens_to(kafka_topic)

    # ── what is sent ───────────────────────────────────────────────────────────────────────────────────────

    async def named(self, agent: AgentId | None) -> AgentId | None:
        """Return a sender as it is called everywhere.

        Raises:
            TransportError: the broker does not answer.
        """
        if agent is None or agent.type not in self.members:
            return agent
        await self._listener.open()
        return self.members.outside(agent)

    async def call(
        self,
        message: Any,
        agent: AgentId,
        *,
        sender: AgentId | None,
        token: CancellationToken | None,
        message_id: str | None,
    ) -> Any:
        """Have an agent of this process answer, without a detour; see `Handling.call`."""
        return await self._handling.call(
            message, agent, sender=sender, token=token, message_id=message_id, seconds=self.patience()
        )

    def patience(self) -> float | None:
        """Return how long what is asked here may take: no longer than whoever is being answered here waits."""
        times = (self._options.request_timeout_seconds, seconds_left(self._clock.now()))
        return min((each for each in times if each is not None), default=None)

    # ── how far it is ──────────────────────────────────────────────────────────────────────────────────────

    async def reaches(self) -> Mapping[TopicPartition, OffsetRange]:
        """Return what the topics it hears hold."""
        return await self._hearing.reaches()

    def is_idle(self, held: Mapping[TopicPartition, OffsetRange]) -> bool:
        """Whether everything up to the given ends has been heard and no handler runs."""
        return not self._handling.running and not self._hearing.unread(held)


def _told(agent: AgentId, envelope: Envelope, work: asyncio.Task[Any]) -> None:
    error = asyncio.CancelledError() if work.cancelled() else work.exception()
    if error is not None:
        log.error(
            "an event was not handled: process-lived agents get it once",
            agent=str(agent),
            id=envelope.id,
            error_type=type(error).__name__,
            error=told(error),
        )
