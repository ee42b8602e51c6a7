"""Requests: asking an agent over its request topic and waiting for the one answer."""

from __future__ import annotations

import asyncio
import json
import zlib
from typing import cast

from agentopic.core import AgentId
from agentopic.engine.mesh import Mesh
from agentopic.engine.options import EngineOptions
from agentopic.engine.payloads import FAULT_TYPE
from agentopic.engine.topics import TopicCatalog
from agentopic.envelope import Envelope, new_id
from agentopic.envelope import attributes as names
from agentopic.envelope.kafka import decode_record, encode
from agentopic.envelope.kafka_topics import agent_requests, replies
from agentopic.errors import (
    EnvelopeError,
    RequestError,
    RequestTimeoutError,
    TransportError,
    UndeliverableError,
)
from agentopic.ports.transport import OutgoingRecord, Reader, Sent, TopicPartition
from agentopic.telemetry.loggers import get_logger

log = get_logger(__name__)


class Requests:
    """The questions this process has asked; one partition of the replies topic is read for all of them."""

    def __init__(self, mesh: Mesh, catalog: TopicCatalog, options: EngineOptions) -> None:
        self._mesh, self._catalog, self._options = mesh, catalog, options
        self._waiting: dict[str, asyncio.Future[Envelope]] = {}
        self._address: TopicPartition | None = None
        self._opening = asyncio.Lock()
        self._listener: asyncio.Task[None] | None = None

    async def ask(self, request: Envelope, recipient: AgentId, *, timeout_seconds: float | None) -> Envelope:
        """Send a request and return the reply or fault that answers it.

        Asked again with the same request id after 10 s without an answer, twice at most: the callee answers a
        request it has finished from its inbox.

        Raises:
            MissingTopicError: no service of that agent type has ever been there.
            RequestTimeoutError: no answer came in time.
            TransportError: the request could not be sent.
            UndeliverableError: this runtime was stopped before the answer came.
        """
        address = await self._listen()
        await self._catalog.require(agent_requests(self._options.namespace, recipient.type))
        request_id = request.agrequestid or request.id
        addressed = request.with_extensions(
            agrequestid=request_id,
            agreplyto=f"{address.topic}/{address.partition}",
            agmsgkind=names.KIND_REQUEST,
            agtargettype=recipient.type,
            agtargetkey=recipient.key,
        )
        # Asked twice at once (an attempt left behind, the next one of its turn), one answer serves both.
        answer = self._waiting.setdefault(request_id, asyncio.get_running_loop().create_future())
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._insist(addressed, recipient, answer)
        except TimeoutError as exc:
            raise RequestTimeoutError(f"{recipient} did not answer within {timeout_seconds:g} s") from exc
        finally:
            self._waiting.pop(request_id, None)

    async def _insist(self, request: Envelope, recipient: AgentId, answer: asyncio.Future[Envelope]) -> Envelope:
        for _ in range(self._options.request_resends + 1):
            await self._send(request, recipient)
            done, _ = await asyncio.wait({answer}, timeout=self._options.request_resend_seconds)
            if done:
                return answer.result()
        return await answer

    async def _send(self, request: Envelope, recipient: AgentId) -> None:
        message = encode(request, key=recipient.key.encode())
        record = OutgoingRecord(
            topic=agent_requests(self._options.namespace, recipient.type),
            key=message.key,
            value=message.value,
            headers=message.headers,
        )
        (result,) = await self._mesh.transport.send([record])
        if not isinstance(result, Sent):
            raise result

    # ── the answers ────────────────────────────────────────────────────────────────────────────────────────

    async def _listen(self) -> TopicPartition:
        """Position the reader of answers before the first question leaves."""
        async with self._opening:
            if self._address is None:
                topic = replies(self._options.namespace)
                await self._catalog.ensure(self._catalog.specs([topic]))
                count = await self._catalog.partitions(topic)
                address = TopicPartition(topic, zlib.crc32(new_id().encode()) % count)
                ends = await self._mesh.admin.offsets([address])
                reader = await self._mesh.transport.reader(f"{topic}.{new_id()}")
                await reader.assign({address: ends[address].end})
                self._listener = asyncio.get_running_loop().create_task(self._read(reader))
                self._address = address
            return self._address

    async def _read(self, reader: Reader) -> None:
        try:
            while True:
                try:
                    records = await reader.read(500, 1.0)
                except TransportError as exc:
                    log.warning("reading replies failed, trying again", error=str(exc))
                    await asyncio.sleep(1.0)
                    continue
                for record in records:
                    try:
                        answer = decode_record(record.headers, record.value, max_bytes=1 << 30)
                    except EnvelopeError as exc:
                        log.warning("no valid reply", offset=record.offset, error=str(exc))
                        continue
                    self._resolve(answer)
        finally:
            await reader.aclose()

    def _resolve(self, answer: Envelope) -> None:
        future = self._waiting.get(answer.agrequestid or "")
        if future is not None and not future.done():
            future.set_result(answer)

    async def aclose(self) -> None:
        """Stop listening; whoever still waits is told."""
        listener, self._listener, self._address = self._listener, None, None
        if listener is not None:
            listener.cancel()
            await asyncio.wait({listener})
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(UndeliverableError("the runtime was stopped before the answer came"))


def raise_fault(answer: Envelope) -> None:
    """Raise what a fault envelope says; return for a reply.

    Raises:
        RequestError: the request ended in a fault.
    """
    if answer.agmsgkind != names.KIND_FAULT and answer.type != FAULT_TYPE:
        return
    fault = cast("dict[str, object]", json.loads(answer.data or b"{}"))
    raise RequestError(f"{fault.get('error_type', 'error')}: {fault.get('message', '')}")
