"""Owner: answers the requests that are addressed to the process-lived agents of this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeAlias

from agentopic.core import AgentId
from agentopic.core._serialization_registry import SerializationRegistry
from agentopic.engine.commands import (
    CancelCommand,
    CancelRunCommand,
    PauseCommand,
    ResumeCommand,
    is_for_all,
    read_command,
)
from agentopic.engine.delivery import reply_address
from agentopic.engine.faults import fault_content
from agentopic.engine.large_payloads import LargePayloads
from agentopic.engine.mesh_names import parse_mesh_type
from agentopic.engine.options import EngineOptions
from agentopic.engine.payloads import write_payload
from agentopic.engine.process_lived.answers import Answers, answer_envelope, gone_fault
from agentopic.engine.process_lived.handling import Handling
from agentopic.engine.process_lived.members import Members
from agentopic.engine.sending import Sender
from agentopic.engine.turn import Content
from agentopic.envelope import Envelope, agent_source, new_id
from agentopic.envelope import attributes as names
from agentopic.envelope.kafka import encode
from agentopic.envelope.kafka_topics import replies
from agentopic.errors import AgentopicError, RecordRefusedError, RequestCancelledError, RequestError, TransportError
from agentopic.ports.clock import Clock
from agentopic.ports.journal import ReplyAddress
from agentopic.ports.transport import OutgoingRecord
from agentopic.telemetry.loggers import get_logger

log = get_logger(__name__)

ACK_TYPE: Final = "agentopic.Ack.v1"
LAST_WORDS_SECONDS = 5.0
"""How long the answers under way may take when the process ends."""

Way: TypeAlias = ReplyAddress | Callable[[Envelope], None]
"""Where an answer goes: to a partition, or to somebody in this process."""


@dataclass(slots=True)
class _Asked:
    """A request that is being handled."""

    request: Envelope
    agent: AgentId
    """As on the mesh."""
    ways: dict[Way, None]
    work: asyncio.Task[Any] | None = None


class Owner:
    """Handles each request once, however often it is sent, and tells whoever sends it that this process lives."""

    def __init__(
        self,
        members: Members,
        handling: Handling,
        serializers: SerializationRegistry,
        options: EngineOptions,
        *,
        sender: Sender,
        clock: Clock,
        large: LargePayloads,
    ) -> None:
        self._members, self._handling, self._serializers = members, handling, serializers
        self._options, self._sender, self._clock, self._large = options, sender, clock, large
        self._open: dict[str, _Asked] = {}
        self._answers = Answers(options.message_buffer_bytes)
        self._sending: set[asyncio.Task[None]] = set()
        self._is_leaving = self._is_gone = False

    def begin(self) -> None:
        """Take requests: from now on under a new mesh name."""
        self._is_leaving = self._is_gone = False
        self._answers = Answers(self._options.message_buffer_bytes)

    # ── what is heard ──────────────────────────────────────────────────────────────────────────────────────

    def heard(self, request: Envelope) -> None:
        """Take what came over this process's partition, if it is a request for an agent of this process."""
        way = reply_address(request)
        if way is not None and self._is_mine(request):
            self.take(request, way)

    def commanded(self, event: Envelope) -> None:
        """Apply a command that came over this process's partition, if it is for it."""
        if not (self._is_mine(event) or is_for_all(event)):
            return
        try:
            command = read_command(event)
        except AgentopicError as exc:
            log.warning("no valid command among the replies", id=event.id, error=str(exc))
            return
        inside = self._members.inside(AgentId(event.agtargettype or "all", event.agtargetkey or ""))
        match command:
            case CancelRunCommand():
                self._handling.cancel_run(command.run)
            case CancelCommand() if self._is_mine(event):
                self._cancel(command, event)
            case PauseCommand() if self._is_mine(event):
                self._handling.curbs.pause(inside)
            case ResumeCommand() if self._is_mine(event):
                self._handling.curbs.resume(inside)
            case _:
                log.warning("a command that process-lived agents do not know", id=event.id, type=event.type)

    def owns(self, agent: AgentId) -> bool:
        """Whether an agent, named as on the mesh, lives or has lived with this process."""
        return self._is_my_type(agent.type)

    def _is_mine(self, event: Envelope) -> bool:
        return self._is_my_type(event.agtargettype or "")

    def _is_my_type(self, agent_type: str) -> bool:
        name = parse_mesh_type(agent_type)
        return name is not None and name.process == self._members.process

    def take(self, request: Envelope, way: Way) -> None:
        """Handle a request whose target is an agent of this process; its answer goes this way, too."""
        request_id = request.agrequestid or request.id
        agent = AgentId(request.agtargettype or "", request.agtargetkey or "")
        asked = self._open.get(request_id)
        if asked is not None:
            asked.ways[way] = None
            self._acknowledge(request_id, agent, way)
        elif request_id in self._answers:
            self._tell(way, self._answers.get(request_id) or self._forgotten(request, agent))
        elif self._is_gone or (self._is_leaving and isinstance(way, ReplyAddress)):
            self._tell(way, gone_fault(request, agent, namespace=self._options.namespace, now=self._clock.now()))
        else:
            self._handle(request_id, _Asked(request=request, agent=agent, ways={way: None}))
            self._acknowledge(request_id, agent, way)

    def _handle(self, request_id: str, asked: _Asked) -> None:
        self._open[request_id] = asked
        inside = self._members.inside(asked.agent)
        asked.work = self._handling.spawn(asked.request, inside, topic=None)
        asked.work.add_done_callback(partial(self._handled, request_id))

    def _cancel(self, command: CancelCommand, event: Envelope) -> None:
        asked = self._open.get(command.request_id)
        if asked is not None:
            if asked.work is not None:
                self._handling.cancel(asked.work)
        elif command.request_id not in self._answers:
            agent = AgentId(event.agtargettype or "", event.agtargetkey or "")
            request = event.replace(id=command.id, source=command.source).with_extensions(
                agrequestid=command.request_id, agredrive=command.redrive or None
            )
            error = RequestCancelledError(f"the request to {agent} was cancelled before it was handled")
            content = fault_content(error)
            self._answers.keep(command.request_id, self._answer(request, agent, content, names.KIND_FAULT))

    # ── what is said ───────────────────────────────────────────────────────────────────────────────────────

    def _handled(self, request_id: str, work: asyncio.Task[Any]) -> None:
        asked = self._open.get(request_id)
        if asked is None:
            return  # ended with its process: its callers know
        if work.cancelled():
            content = fault_content(RequestCancelledError(f"the request to {asked.agent} was cancelled"))
            self._end(request_id, asked, content, names.KIND_FAULT)
        elif (error := work.exception()) is not None:
            self._end(request_id, asked, fault_content(error), names.KIND_FAULT)
        else:
            self._in_background(self._reply(request_id, asked, work.result()))

    async def _reply(self, request_id: str, asked: _Asked, result: Any) -> None:
        try:
            content, kind = await self._large.aside(write_payload(self._serializers, result)), names.KIND_REPLY
        except AgentopicError as exc:
            content, kind = fault_content(exc), names.KIND_FAULT
        self._end(request_id, asked, content, kind)

    def _end(self, request_id: str, asked: _Asked, content: Content, kind: str) -> None:
        self._open.pop(request_id, None)
        answer = self._answer(asked.request, asked.agent, content, kind)
        self._answers.keep(request_id, answer)
        for way in asked.ways:
            self._tell(way, answer)

    def _answer(self, request: Envelope, agent: AgentId, content: Content, kind: str) -> Envelope:
        namespace, now = self._options.namespace, self._clock.now()
        return answer_envelope(request, agent, content, kind, namespace=namespace, now=now)

    def _forgotten(self, request: Envelope, agent: AgentId) -> Envelope:
        error = RequestError(f"{agent} has answered request {request.agrequestid!r} before; the answer is not kept")
        return self._answer(request, agent, fault_content(error), names.KIND_FAULT)

    def _acknowledge(self, request_id: str, agent: AgentId, way: Way) -> None:
        """Say that the request is here; only where somebody waits for it, not where answers are stored."""
        if not isinstance(way, ReplyAddress) or way.topic != replies(self._options.namespace):
            return
        ack = Envelope(
            id=new_id(),
            source=agent_source(self._options.namespace, agent.type, agent.key),
            type=ACK_TYPE,
            extensions={names.AGMSGKIND: names.KIND_ACK, names.AGREQUESTID: request_id},
        )
        self._tell(way, ack)

    def _tell(self, way: Way, event: Envelope) -> None:
        if isinstance(way, ReplyAddress):
            self._in_background(self._send(way, event))
        else:
            way(event)

    async def _send(self, way: ReplyAddress, event: Envelope) -> None:
        try:
            await self._sender.send(_record(way, event))
        except RecordRefusedError as exc:
            fault = fault_content(exc)
            refused = event.replace(type=fault.type, datacontenttype=fault.datacontenttype, data=fault.data)
            await self._send_anyway(way, refused.with_extensions(agmsgkind=names.KIND_FAULT))
        except TransportError as exc:
            log.warning("an answer was not sent, its caller asks again", request=event.agrequestid, error=str(exc))

    async def _send_anyway(self, way: ReplyAddress, fault: Envelope) -> None:
        try:
            await self._sender.send(_record(way, fault))
        except TransportError as exc:
            log.warning("a fault was not sent, its caller asks again", request=fault.agrequestid, error=str(exc))

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    # ── its end ────────────────────────────────────────────────────────────────────────────────────────────

    def leave(self) -> None:
        """Begin nothing more for other processes: what they ask is answered with `owner gone`."""
        self._is_leaving = True

    async def aclose(self) -> None:
        """Answer what is open, and what still comes, with `owner gone`; idempotent."""
        await self._flush()
        self._is_gone = True
        asked, self._open = self._open, {}
        for each in asked.values():
            gone = gone_fault(each.request, each.agent, namespace=self._options.namespace, now=self._clock.now())
            for way in each.ways:
                self._tell(way, gone)
        await self._flush()

    async def _flush(self) -> None:
        if self._sending:
            _, late = await asyncio.wait(self._sending, timeout=LAST_WORDS_SECONDS)
            for task in late:
                task.cancel()


def _record(way: ReplyAddress, event: Envelope) -> OutgoingRecord:
    message = encode(event)
    return OutgoingRecord(
        topic=way.topic, key=None, value=message.value, headers=message.headers, partition=way.partition
    )
