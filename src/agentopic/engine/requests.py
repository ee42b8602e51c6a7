"""Requests: asking an agent over its request topic until the one answer comes, or the deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from agentopic.core import AgentId
from agentopic.engine.listener import Listener
from agentopic.engine.mesh_names import parse_mesh_type
from agentopic.engine.options import EngineOptions
from agentopic.engine.process_lived.answers import gone_fault
from agentopic.engine.process_lived.owner import Owner
from agentopic.engine.request_ids import AskingStep, asking_step
from agentopic.engine.sending import Sender
from agentopic.engine.silences import Silences
from agentopic.engine.topics import TopicCatalog
from agentopic.envelope import Envelope
from agentopic.envelope import attributes as names
from agentopic.envelope.kafka import encode
from agentopic.envelope.kafka_topics import agent_requests
from agentopic.errors import (
    MissingTopicError,
    RecordRefusedError,
    RequestTimeoutError,
    TransportError,
    UndeliverableError,
)
from agentopic.ports.clock import Clock
from agentopic.ports.journal import ReplyAddress
from agentopic.ports.transport import OutgoingRecord
from agentopic.telemetry.loggers import get_logger

log = get_logger(__name__)

RETRY_SECONDS = 1.0
LEFT_LIMIT = 100_000

Keep = Callable[[AskingStep, Envelope], None]


@dataclass(slots=True)
class _Pending:
    """One request and whoever waits for it here: an attempt left behind and the next one share the answer."""

    answer: asyncio.Future[Envelope] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    waiters: int = 0
    lasting: bool = False
    """Whether the answer has been asked for where it finds its lane without this process."""
    heard: bool = False
    """Whether the process of a process-lived callee has said that it has the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A request about to be sent."""

    request: Envelope
    recipient: AgentId
    timeout_seconds: float | None
    lasting: ReplyAddress | None = None
    """Where the answer of a turn's request finds its lane whatever process lives by then; the last repetition asks
    for it there. With it the broker's absence is waited out, else it is an error at once."""

    @property
    def request_id(self) -> str:
        """The id that the answer will carry."""
        return self.request.agrequestid or self.request.id

    def event(self, address: ReplyAddress | None) -> Envelope:
        """Return the event that asks for an answer to this address; None: to somebody in this process."""
        recipient = self.recipient
        return self.request.with_extensions(
            agrequestid=self.request_id,
            agreplyto=None if address is None else f"{address.topic}/{address.partition}",
            agmsgkind=names.KIND_REQUEST,
            agtargettype=recipient.type,
            agtargetkey=recipient.key,
        )

    def addressed(self, namespace: str, address: ReplyAddress, owner: ReplyAddress | None) -> OutgoingRecord:
        """Return the record that asks for an answer to this address; `owner` is where a callee's process hears."""
        message = encode(self.event(address), key=self.recipient.key.encode())
        if owner is not None:
            return OutgoingRecord(
                topic=owner.topic,
                key=None,
                value=message.value,
                headers=message.headers,
                partition=owner.partition,
            )
        topic = agent_requests(namespace, self.recipient.type)
        return OutgoingRecord(topic=topic, key=message.key, value=message.value, headers=message.headers)


class Requests:
    """The questions this process has asked and not yet heard the answers of."""

    def __init__(
        self,
        listener: Listener,
        sender: Sender,
        catalog: TopicCatalog,
        options: EngineOptions,
        *,
        owner: Owner,
        clock: Clock,
        keep: Keep,
    ) -> None:
        self._listener, self._sender, self._catalog, self._options = listener, sender, catalog, options
        self._owner, self._clock, self._keep = owner, clock, keep
        self._waiting: dict[str, _Pending] = {}
        self._left: dict[str, None] = {}
        self._silences = Silences()
        self._readdressing: set[asyncio.Task[None]] = set()
        self.draining = False
        """Whether this process is about to end: turns that wait are handed over, and asked on elsewhere."""
        for kind in (names.KIND_REPLY, names.KIND_FAULT):
            listener.on(kind, self.resolve)
        listener.on(names.KIND_ACK, self._acknowledged)

    async def ask(self, asking: Asking) -> Envelope:
        """Send a request and return the reply or fault that answers it.

        Asked again with the same request id after 10 s without an answer, twice at most: the callee answers a
        request it has finished from its inbox. When the caller is cancelled, an answer that still comes is stored
        for its turn.

        Raises:
            MissingTopicError: no service of that agent type has ever been there.
            RequestTimeoutError: no answer came in time.
            TransportError: the request could not be sent.
            UndeliverableError: this runtime was stopped before the answer came.
        """
        request_id = asking.request_id
        pending = self._waiting.setdefault(request_id, _Pending())
        pending.waiters += 1
        try:
            async with asyncio.timeout(asking.timeout_seconds):
                if parse_mesh_type(asking.recipient.type) is not None:
                    return await self._ask_owner(asking, pending)
                return await self._insist(asking, pending)
        except TimeoutError as exc:
            raise RequestTimeoutError(f"{asking.recipient} did not answer before the deadline") from exc
        except asyncio.CancelledError:
            if asking.lasting is not None:
                self._leave(asking, pending)
            raise
        finally:
            pending.waiters -= 1
            if not pending.waiters and self._waiting.get(request_id) is pending:
                del self._waiting[request_id]

    async def _insist(self, asking: Asking, pending: _Pending) -> Envelope:
        options, answer, times = self._options, pending.answer, 0
        while times <= options.request_resends:
            is_last = 0 < times == options.request_resends
            sent = await self._send(asking, asking.lasting if is_last else None)
            pending.lasting = pending.lasting or (sent and is_last)
            times += sent
            wait_seconds = options.request_resend_seconds if sent else RETRY_SECONDS
            if await _heard(answer, wait_seconds):
                return answer.result()
        await _heard(answer, None)
        return answer.result()

    async def _ask_owner(self, asking: Asking, pending: _Pending) -> Envelope:
        """Ask a process-lived agent: over and over, so that the end of its process does not go unnoticed."""
        if self._owner.owns(asking.recipient):
            self._owner.take(asking.event(None), self.resolve)
            await _heard(pending.answer, None)
            return pending.answer.result()
        options, silence = self._options, self._silences.of(asking.request_id)
        requests = options.request_resends + 1
        while not silence.lasts(requests, requests * options.request_resend_seconds):
            pending.heard = False
            sent = await self._send(asking, None)
            silence.sent += sent
            if await _heard(pending.answer, options.request_resend_seconds if sent else RETRY_SECONDS):
                self._silences.over(asking.request_id)
                return pending.answer.result()
            if pending.heard:
                silence.broken()
            if pending.heard and asking.request.data is not None:
                # What is asked is there; from now on it is only asked for a sign of life.
                asking = replace(asking, request=asking.request.replace(data=None))
        self._silences.over(asking.request_id)
        return gone_fault(asking.event(None), asking.recipient, namespace=options.namespace, now=self._clock.now())

    async def _send(self, asking: Asking, address: ReplyAddress | None) -> bool:
        """Whether the log has the request; the broker's absence is an error for callers outside of turns only."""
        if address is not None and self._owner.owns(asking.recipient):
            self._owner.take(asking.event(address), address)
            return True
        name = parse_mesh_type(asking.recipient.type)
        try:
            here = address or await self._listener.open()
            owner = None if name is None else await self._listener.place_of(name.process)
            if owner is None:
                await self._catalog.require(agent_requests(self._options.namespace, asking.recipient.type))
            await self._sender.send(asking.addressed(self._options.namespace, here, owner))
        except RecordRefusedError:
            raise
        except TransportError as exc:
            if asking.lasting is None:
                raise
            log.warning("a request waits for the broker", recipient=str(asking.recipient), error=str(exc))
            return False
        return True

    # ── the answers ────────────────────────────────────────────────────────────────────────────────────────

    def _leave(self, asking: Asking, pending: _Pending) -> None:
        """See to it that an answer still finds the turn that asked, which may go on in any process."""
        if pending.answer.done():
            self._store(asking.request_id, pending.answer)  # it came as whoever waited went away
            return
        self._left[asking.request_id] = None
        if len(self._left) > LEFT_LIMIT:
            del self._left[next(iter(self._left))]
        if pending.lasting or self.draining:
            return
        task = asyncio.get_running_loop().create_task(self._readdress(asking))
        self._readdressing.add(task)
        task.add_done_callback(self._readdressing.discard)

    async def _readdress(self, asking: Asking) -> None:
        """Ask for the answer where it finds its lane, again and again until the log has it."""
        with suppress(RecordRefusedError, MissingTopicError):  # nobody to ask: its turn is told at its deadline
            while not await self._send(asking, asking.lasting):  # noqa: ASYNC110 - the broker rings no bell
                await asyncio.sleep(RETRY_SECONDS)

    def _store(self, request_id: str, answer: asyncio.Future[Envelope]) -> None:
        step = asking_step(request_id)
        if step is not None and answer.exception() is None:
            self._keep(step, answer.result())

    def resolve(self, answer: Envelope) -> None:
        """Give an answer to whoever waits for it here; it may be one of another process."""
        request_id = answer.agrequestid or ""
        pending = self._waiting.get(request_id)
        if pending is not None:
            if not pending.answer.done():
                pending.answer.set_result(answer)
        elif request_id in self._left:
            del self._left[request_id]
            step = asking_step(request_id)
            if step is not None:
                self._keep(step, answer)

    def _acknowledged(self, ack: Envelope) -> None:
        pending = self._waiting.get(ack.agrequestid or "")
        if pending is not None:
            pending.heard = True

    async def aclose(self) -> None:
        """Tell whoever still waits that no answer will be heard any more."""
        self._left.clear()
        for pending in self._waiting.values():
            if not pending.answer.done():
                pending.answer.set_exception(UndeliverableError("the runtime was stopped before the answer came"))
        for task in self._readdressing:
            task.cancel()
        if self._readdressing:
            await asyncio.wait(self._readdressing)


async def _heard(answer: asyncio.Future[Envelope], seconds: float | None) -> bool:
    """Wait for an answer that others may wait for too: whoever is cancelled must not cancel it."""
    done, _ = await asyncio.wait({answer}, timeout=seconds)
    return bool(done)
