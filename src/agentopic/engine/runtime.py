"""`EngineRuntime`: the AgentRuntime whose messages survive the death of any process."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import date
from types import TracebackType
from typing import Any, Self, TypeVar

from agentopic.core import (
    Agent,
    AgentId,
    AgentType,
    CancellationToken,
    ClosureAgent,
    InterventionHandler,
    Subscription,
    TopicId,
    TypePrefixSubscription,
    TypeSubscription,
)
from agentopic.engine.activation import keeps_state
from agentopic.engine.connections import Connections
from agentopic.engine.control_client import ControlClient
from agentopic.engine.group import AgentGroup
from agentopic.engine.host import Host
from agentopic.engine.hosting import Hosting
from agentopic.engine.idle import until_idle, until_stored
from agentopic.engine.incarnation import Plan
from agentopic.engine.interventions import Interventions
from agentopic.engine.large_payloads import LargePayloads
from agentopic.engine.lifetime import Lifetime
from agentopic.engine.mesh import Mesh
from agentopic.engine.metering import Metering
from agentopic.engine.middleware import Middleware
from agentopic.engine.options import EngineOptions, RetryPolicy
from agentopic.engine.preview_reader import Show
from agentopic.engine.process_lived.states import ResidentStates
from agentopic.engine.routing import Router
from agentopic.engine.topics import TopicCatalog
from agentopic.engine.trial import made_class
from agentopic.envelope import Envelope
from agentopic.envelope.kafka_topics import consumer_group, replies, runs, topic_events
from agentopic.ports.admin import TopicSpec
from agentopic.ports.journal import Spend
from agentopic.ports.transport import Sent

T = TypeVar("T", bound=Agent)


class EngineRuntime(ResidentStates):
    """Hosts agent types as durable services, and publishes and sends from outside of them.

    Inside a handler a publish is collected and leaves when the turn commits; a send is a recorded step. Outside of
    one a publish returns once the log has it.
    """

    def __init__(
        self,
        mesh: Mesh,
        options: EngineOptions,
        *,
        middleware: Sequence[Middleware] = (),
        intervention_handlers: Sequence[InterventionHandler] | None = None,
    ) -> None:
        super().__init__(namespace=options.namespace, intervention_handlers=intervention_handlers)
        self._interventions = Interventions(self._kernel)
        self.mesh, self.options = mesh, options
        self.catalog = TopicCatalog(mesh.admin, options)
        self._middleware = tuple(middleware)
        self._hosted: dict[str, Hosting] = {}
        self._large = LargePayloads(mesh.blobs, options)
        self._metering = Metering(mesh, self.catalog, options)
        self._life = Lifetime(self._make_host)
        self._links = Connections(
            self._kernel,
            mesh,
            self.catalog,
            options,
            life=self._life,
            large=self._large,
            middleware=self._middleware,
        )
        self._residence = self._links.residence
        self._metering.control = self._links.control
        self._connected = False

    # ── registration ───────────────────────────────────────────────────────────────────────────────────────

    async def register_factory(
        self,
        type: str | AgentType,  # noqa: A002 - AutoGen's parameter name
        agent_factory: Callable[[], T | Awaitable[T]],
        *,
        expected_class: type[T] | None = None,
    ) -> AgentType:
        """Register an agent type to be hosted here; on a started runtime the host is renewed, drained first.

        A class that does not override `save_state` keeps its state in this process only: a warning says so, such an
        agent is never put away and a failed attempt is not repeated on it. A `ClosureAgent` is process-lived, as what
        its function refers to is. Without `expected_class` one agent is made, and closed, to find its class.

        Raises:
            RegistrationError: the type is registered already, or the factory needs arguments.
        """
        agent_type = await super().register_factory(type, agent_factory, expected_class=expected_class)
        made: type[Agent] | None = expected_class
        if made is None and agent_type.type not in self._hosted:
            made = await made_class(self._kernel, agent_type.type)
        if made is not None and issubclass(made, ClosureAgent) and agent_type.type not in self._hosted:
            await self._live_here(agent_type.type)
            return agent_type
        stored = made is None or keeps_state(made)
        self._hosted.setdefault(agent_type.type, Hosting(state="stored" if stored else "process"))
        self._life.renew()
        return agent_type

    async def add_subscription(self, subscription: Subscription) -> None:
        """Have an agent type listen to topics; on a started runtime the host is renewed.

        A process-lived agent hears what is published from the return of this call on.

        Raises:
            RegistrationError: an equal subscription exists already.
            TransportError: the broker does not answer.
        """
        await super().add_subscription(subscription)
        known = isinstance(subscription, TypeSubscription | TypePrefixSubscription)
        if known and subscription.agent_type in self._residence.members:
            await self._residence.listen()
        else:
            self._life.renew()

    async def remove_subscription(self, id: str) -> None:  # noqa: A002 - AutoGen's parameter name
        """End a subscription.

        Raises:
            RegistrationError: there is none of this id.
            TransportError: the broker does not answer.
        """
        await super().remove_subscription(id)
        await self._residence.listen()

    def host_as(self, agent_type: str, hosting: Hosting) -> None:
        """Say how an agent type is hosted; before it is registered, or before `start`."""
        self._hosted[agent_type] = hosting

    async def register_agent_instance(self, agent_instance: Agent, agent_id: AgentId) -> AgentId:
        """Have an object live on the mesh as long as this process does: process-lived.

        Raises:
            RegistrationError: the id is taken, or the type is registered by a factory or for another class.
            TransportError: the broker does not answer.
        """
        agent_id = await super().register_agent_instance(agent_instance, agent_id)
        await self._live_here(agent_id.type)
        return agent_id

    async def _live_here(self, agent_type: str) -> None:
        self._residence.add(agent_type)
        await self._residence.listen()

    # ── life ───────────────────────────────────────────────────────────────────────────────────────────────

    async def start(self) -> None:
        """Connect, create or verify topics, and begin to work; returns once the partitions are leased.

        Raises:
            UnreachableError: the broker or journal does not answer.
            MissingTopicError: topics are only to be verified and one is missing.
            ConfigError: the process cannot work as configured.
        """
        if not self._connected:
            await self.mesh.transport.start()
            self._connected = True
        await self._residence.start()  # first: what a service of this process publishes is heard
        await self._life.start()

    async def _make_host(self) -> Host | None:
        if not self._hosted:
            return None
        if self.mesh.journal is not None:
            await self._links.journal()
        self._warn_process_lived()
        await self.catalog.ensure(self.topics_plan())
        plan = Plan(
            mesh=self.mesh,
            kernel=self._kernel,
            catalog=self.catalog,
            options=self.options,
            groups=[self._group(name) for name in self._hosted],
            links=self._links.plan_links,
            large=self._large,
            metering=self._metering,
            middleware=self._middleware,
        )
        return Host(plan)

    @property
    def is_ready(self) -> bool:
        """Whether this process takes part in the mesh: joined, its partitions leased, its journal answering."""
        life = self._links.incarnation()
        return life is not None and life.is_ready

    async def wait(self) -> None:
        """Wait for the engine to end; raises what ended it. Returns at once when nothing is hosted."""
        await self._life.wait()

    async def stop(self) -> None:
        """Drain: running turns end, what they decided is sent, the rest goes on elsewhere; then disconnect."""
        settling = asyncio.ensure_future(self._residence.settle(self.options.drain_seconds))
        try:
            await self._links.drain()
            await self._life.stop()
        finally:
            await settling
            await self._residence.aclose()
            await self._links.aclose()
            await self._large.aclose()
            self._connected = False
            await self.mesh.aclose()

    async def close(self) -> None:
        """Stop, and close the agents that live with this process; the first error of one is raised."""
        await self.stop()
        await self._residence.close_agents()

    async def __aenter__(self) -> Self:
        """Start."""
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and close the agents that live with this process."""
        await self.close()

    async def stop_when_idle(self) -> None:
        """Stop once every record read so far, and all that it caused for the agents hosted here, is done."""
        await self.idle()
        await self.stop()

    async def idle(self) -> None:
        """Wait until every record read so far, and all that it caused for the agents of this process, is done."""
        await self._life.settled()
        await until_idle(self._life.host, self._residence)

    async def stop_when_stored(self) -> None:
        """Stop once every record read so far is stored as a delivery; whether it was run does not matter."""
        await self._life.settled()
        if self._life.host is not None:
            await until_stored(self._life.host)
        await self.stop()

    def topics_plan(self) -> Sequence[TopicSpec]:
        """Return the topics that the agent types registered here own."""
        namespace = self.options.namespace
        routers = [self._router(name) for name in self._hosted]
        read = [topic for router in routers for topic in (*router.named_topics(), router.requests, router.control)]
        written = [topic_events(namespace, topic) for hosting in self._hosted.values() for topic in hosting.publishes]
        dead = [router.dead_letters for router in routers]
        owned = self.catalog.specs([*read, *written, replies(namespace), runs(namespace)], dead=dead)
        return [*owned, *self._metering.topics()]

    # ── messages ───────────────────────────────────────────────────────────────────────────────────────────

    async def publish_message(
        self,
        message: Any,
        topic_id: TopicId,
        *,
        sender: AgentId | None = None,
        cancellation_token: CancellationToken | None = None,
        message_id: str | None = None,
        now: bool = False,
    ) -> None:
        """Publish to a topic: with the commit of the running turn, or at once outside of one.

        With `now` it leaves at once inside of a turn, too, as a step: stored, sent, and not sent anew by a later
        attempt; it has left also when the turn fails.

        Raises:
            MissingTopicError: the topic does not exist: no service listens to it or owns it.
            PayloadError: the message cannot be serialised.
            TurnClosedError: the turn this is called from has finished.
            TransportError: outside a turn, the log did not acknowledge it.
        """
        if self._interventions:
            screened = await self._interventions.published(
                message, topic_id, sender=sender, token=cancellation_token, message_id=message_id, now=now
            )
            if screened is None:
                return
            message, message_id = screened
        await self._links.messages.publish(message, topic_id, sender=sender, message_id=message_id, now=now)

    async def publish_envelope(self, envelope: Envelope, topic_id: TopicId) -> Sent:
        """Publish a finished event to a topic and return where it lies; for code outside of a turn.

        Raises:
            MissingTopicError: the topic does not exist.
            TransportError: the log did not acknowledge it.
        """
        return await self._links.messages.publish_envelope(envelope, topic_id)

    async def send_message(
        self,
        message: Any,
        recipient: AgentId,
        *,
        sender: AgentId | None = None,
        cancellation_token: CancellationToken | None = None,
        message_id: str | None = None,
    ) -> Any:
        """Send to one agent and return its answer; inside a turn this is a recorded step.

        Raises:
            MissingTopicError: no service of that agent type has ever been there.
            OwnerGoneError: the callee is process-lived, and its process has ended.
            RequestError: the callee's handler failed for good.
            RequestTimeoutError: no answer came in time.
            CallCycleError: an agent sends to itself inside its own turn.
            MessageDroppedError: an intervention handler dropped the message or its answer.
        """
        if self._interventions:
            message, message_id = await self._interventions.sent(
                message, recipient, sender=sender, token=cancellation_token, message_id=message_id
            )
        answer = await self._links.messages.send(
            message, recipient, sender=sender, token=cancellation_token, message_id=message_id
        )
        return await self._interventions.answered(answer, recipient, sender=sender) if self._interventions else answer

    async def request_envelope(
        self, envelope: Envelope, recipient: AgentId, *, deadline_seconds: float | None
    ) -> Envelope:
        """Send a finished request and return the reply or fault as it came.

        Raises:
            MissingTopicError: no service of that agent type has ever been there.
            RequestTimeoutError: no answer came in time.
        """
        return await self._links.messages.request_envelope(envelope, recipient, deadline_seconds=deadline_seconds)

    async def spent(self, *, run: str | None = None, agent_type: str | None = None, day: date | None = None) -> Spend:
        """Return what a run has spent on models, or an agent type on one day (UTC; None: today).

        Zeros where nothing was spent. Calls of models without a known price are counted as `unpriced`.

        Raises:
            ConfigError: this process has no journal to ask, or neither or both of run and agent type are given.
            JournalUnavailableError: the journal does not answer.
        """
        scope = self._metering.scope(run=run, agent_type=agent_type, day=day)
        return (await (await self._links.journal()).spent([scope]))[scope]

    def previews(self, show: Show) -> AbstractAsyncContextManager[None]:
        """Have `show` given every preview from now on; see `PreviewReader.watched`."""
        return self._links.previews.watched(show)

    @property
    def control(self) -> ControlClient:
        """Answers questions, cancels requests and runs, pauses and resumes agents, anywhere in the mesh."""
        return self._links.control

    def _router(self, agent_type: str) -> Router:
        return Router(self._kernel, self.options.namespace, agent_type)

    def _group(self, agent_type: str) -> AgentGroup:
        hosting, options = self._hosted[agent_type], self.options
        # State that lives in memory may already be changed by a failed attempt: no second one on it.
        once = RetryPolicy(max_failures=1)
        return AgentGroup(
            agent_type=agent_type,
            group=consumer_group(options.namespace, agent_type),
            router=self._router(agent_type),
            # A process without slots only reads and stores, whatever its services are declared for.
            concurrency=options.max_concurrent_agents and (hosting.concurrency or options.max_concurrent_agents),
            retry=once if hosting.state == "process" else hosting.retry or options.retry,
            state=hosting.state,
            start_from=hosting.start_from or options.start_from,
            budgets=hosting.budgets or options.budgets,
            on_unknown=hosting.on_unknown,
        )

    def _warn_process_lived(self) -> None:
        for name, hosting in self._hosted.items():
            if hosting.state == "process":
                warnings.warn(
                    f"agent type {name!r} does not override save_state/load_state: its state is gone with this process",
                    stacklevel=3,
                )
