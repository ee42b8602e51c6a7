"""Messaging: publishing and sending, inside of turns as part of them, outside of turns at once."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from agentopic.core import AgentId, CancellationToken, TopicId
from agentopic.core._kernel import Kernel
from agentopic.core._turn import current_turn
from agentopic.engine.callers import Callers
from agentopic.engine.delivery import lane_id
from agentopic.engine.faults import raise_fault
from agentopic.engine.large_payloads import LargePayloads
from agentopic.engine.mesh import Mesh
from agentopic.engine.mesh_names import parse_mesh_type
from agentopic.engine.options import EngineOptions
from agentopic.engine.payloads import read_payload, write_payload
from agentopic.engine.process_lived.causes import caused
from agentopic.engine.process_lived.residence import Residence
from agentopic.engine.request_ids import request_id, step_of
from agentopic.engine.requests import Asking, Requests
from agentopic.engine.step_keys import inside_step
from agentopic.engine.topics import TopicCatalog
from agentopic.engine.turn import Content, Turn
from agentopic.engine.waits import Wait, WaitSpec
from agentopic.envelope import Envelope, agent_source, json, new_id
from agentopic.envelope import attributes as names
from agentopic.envelope.kafka import encode
from agentopic.envelope.kafka_topics import agent_requests, consumer_group, control, topic_events
from agentopic.envelope.timestamp import format_time
from agentopic.errors import CallCycleError, MissingTopicError, TransportError
from agentopic.ports.journal import ReplyAddress
from agentopic.ports.transport import OutgoingRecord, Sent


class Messages:
    """What agents and applications say to one another through one runtime."""

    def __init__(
        self,
        kernel: Kernel,
        mesh: Mesh,
        catalog: TopicCatalog,
        options: EngineOptions,
        *,
        requests: Requests,
        callers: Callers,
        residence: Residence,
        large: LargePayloads,
        settled: Callable[[], Awaitable[None]],
    ) -> None:
        self._kernel, self._mesh, self._catalog, self._options = kernel, mesh, catalog, options
        self._requests, self._callers, self._large, self._settled = requests, callers, large, settled
        self._residence = residence

    # ── publishing ─────────────────────────────────────────────────────────────────────────────────────────

    async def publish(
        self, message: Any, topic_id: TopicId, *, sender: AgentId | None, message_id: str | None, now: bool
    ) -> None:
        """Publish a message; see `EngineRuntime.publish_message`."""
        content = write_payload(self._kernel.serializers, message)
        kafka_topic = topic_events(self._options.namespace, topic_id.type)
        turn = current_turn.get()
        if isinstance(turn, Turn):
            await self._catalog.require(kafka_topic)
            content = await self._large.aside(content)
            if now:
                await turn.publish_now(content, topic_id, kafka_topic, message_id=message_id)
            else:
                turn.publish(content, topic_id, kafka_topic, message_id=message_id)
            return
        await self._settled()
        root = await self._root(content, topic_id.source, sender, message_id)
        if self._residence.listens_to(kafka_topic) and not await self._catalog.has_now(kafka_topic):
            # Topics are created by others here, and this one is not there: it stays among the agents of this process.
            self._residence.hear(root, topic_id)
            return
        await self.publish_envelope(root, topic_id)

    async def publish_envelope(self, envelope: Envelope, topic_id: TopicId) -> Sent:
        """Publish a finished event; see `EngineRuntime.publish_envelope`."""
        kafka_topic = topic_events(self._options.namespace, topic_id.type)
        await self._catalog.require(kafka_topic)
        addressed = (await self._large.reduced(envelope)).with_extensions(
            agtopictype=topic_id.type, agtopicsource=topic_id.source, agmsgkind=names.KIND_PUBLISH
        )
        message = encode(addressed, key=topic_id.source.encode())
        record = OutgoingRecord(topic=kafka_topic, key=message.key, value=message.value, headers=message.headers)
        (result,) = await self._mesh.transport.send([record])
        if not isinstance(result, Sent):
            raise result
        return result

    # ── sending ────────────────────────────────────────────────────────────────────────────────────────────

    async def send(
        self,
        message: Any,
        recipient: AgentId,
        *,
        sender: AgentId | None,
        token: CancellationToken | None,
        message_id: str | None,
    ) -> Any:
        """Send a message and return its answer; see `EngineRuntime.send_message`."""
        turn, resident = current_turn.get(), self._residence.members.here(recipient)
        if resident is not None and not isinstance(turn, Turn):
            return await self._residence.call(message, resident, sender=sender, token=token, message_id=message_id)
        content = write_payload(self._kernel.serializers, message)
        if isinstance(turn, Turn):
            asking = self._ask(turn, content, recipient)
            answer = await (asking if token is None else token.link_future(asyncio.ensure_future(asking)))
        else:
            await self._settled()
            root = await self._root(content, recipient.key, sender, message_id)
            patience = self._residence.patience()
            answer = await self.request_envelope(root, recipient, deadline_seconds=patience, token=token)
        answer = await self._large.whole(answer)
        raise_fault(answer)
        return read_payload(self._kernel.serializers, self._options.namespace, answer)

    async def request_envelope(
        self,
        envelope: Envelope,
        recipient: AgentId,
        *,
        deadline_seconds: float | None,
        token: CancellationToken | None = None,
    ) -> Envelope:
        """Send a finished request from outside of a turn; see `EngineRuntime.request_envelope`."""
        request = await self._large.reduced(envelope)
        return await self._callers.ask(request, recipient, timeout_seconds=deadline_seconds, token=token)

    async def _ask(self, turn: Turn, content: Content, recipient: AgentId) -> Envelope:
        """Ask from inside a turn: a step whose result is the answer, whatever process the turn goes on in."""
        if recipient == turn.delivery.agent:
            raise CallCycleError(f"{recipient} sends to itself and waits: its lane runs one handler at a time")
        callee = await self._callee(recipient)
        spec = self._spec(turn, content, recipient, callee)
        if not turn.is_known(spec):
            await self._require(callee)
        nested = inside_step.get() is not None
        lasting = await self._lasting_address(turn.delivery.agent)

        async def call(wait: Wait) -> Envelope:
            asked_as = request_id(step_of(self._options.namespace, turn.delivery, wait.key))
            request = turn.request(await self._large.aside(content), callee, asked_as)
            if wait.due_ms is not None:
                request = request.with_extensions(expirytime=format_time(_instant(wait.due_ms)))
            asking = Asking(
                request=request,
                recipient=callee,
                timeout_seconds=wait.remaining_seconds,
                lasting=None if nested else lasting,
            )
            return await self._requests.ask(asking)

        return await turn.wait(spec, call)

    async def _callee(self, recipient: AgentId) -> AgentId:
        """Return a recipient as it is called everywhere, also one that lives with this process."""
        resident = self._residence.members.here(recipient)
        return recipient if resident is None else await self._residence.named(resident) or recipient

    def _spec(self, turn: Turn, content: Content, recipient: AgentId, callee: AgentId) -> WaitSpec[Envelope]:
        group = consumer_group(self._options.namespace, recipient.type)
        lives = parse_mesh_type(callee.type) is not None
        inherited = turn.delivery.envelope.expirytime if turn.delivery.request_id is not None else None
        return WaitSpec(
            kind="request",
            name=str(recipient),
            input=content.type.encode() + b"\0" + (content.data or b""),
            encode=json.dumps,
            decode=_read_answer,
            repeatable=True,
            due_seconds=self._options.request_timeout_seconds,
            due_ms=None if inherited is None else int(inherited.timestamp() * 1000),
            callee=None if lives else lane_id(group, recipient.key),
            again_seconds=self._options.owner_seconds if lives else None,
        )

    async def _require(self, recipient: AgentId) -> None:
        """Refuse what goes nowhere before it is a step; whether the broker answers is the step's concern."""
        if parse_mesh_type(recipient.type) is not None:
            return
        try:
            await self._catalog.require(agent_requests(self._options.namespace, recipient.type))
        except TransportError:
            return

    async def _lasting_address(self, agent: AgentId) -> ReplyAddress | None:
        """Return where an answer is read durably for an agent: a partition of its type's control topic."""
        topic = control(self._options.namespace, agent.type)
        try:
            count = await self._catalog.partitions(topic)
        except (MissingTopicError, TransportError):
            return None
        return ReplyAddress(topic, zlib.crc32(agent.key.encode("utf-8", "surrogatepass")) % count)

    # ── parts ──────────────────────────────────────────────────────────────────────────────────────────────

    async def _root(self, content: Content, subject: str, sender: AgentId | None, message_id: str | None) -> Envelope:
        """Return an event of code outside of any turn: of a script, or of an agent that lives with this process."""
        namespace = self._options.namespace
        event_id = message_id or new_id()
        extensions = caused(event_id)
        source = f"/{namespace}/publishers"
        sender = await self._residence.named(sender)
        if sender is not None:
            source = agent_source(namespace, sender.type, sender.key)
            extensions |= {names.AGAGENTSENDERTYPE: sender.type, names.AGAGENTSENDERKEY: sender.key}
        return Envelope(
            id=event_id,
            source=source,
            type=content.type,
            subject=subject or None,
            time=self._mesh.clock.now(),
            datacontenttype=content.datacontenttype,
            data=content.data,
            extensions={**extensions, **content.extensions},
        )


def _read_answer(recorded: bytes) -> Envelope:
    return json.loads(recorded, max_bytes=1 << 30)


def _instant(millis: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=millis)
