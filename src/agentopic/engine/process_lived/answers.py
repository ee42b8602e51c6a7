"""Answers: what process-lived agents have answered, kept so that no request is handled twice."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime

from agentopic.core import AgentId
from agentopic.engine.faults import fault_content
from agentopic.engine.turn import Content
from agentopic.envelope import Envelope, ExtensionValue, agent_source, derive_id
from agentopic.envelope import attributes as names
from agentopic.errors import OwnerGoneError

REQUESTS_KEPT = 100_000


class Answers:
    """Remembers requests by their ids, and their answers as long as these fit into so many bytes."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit, self._bytes = limit_bytes, 0
        self._answers: OrderedDict[str, Envelope | None] = OrderedDict()
        self._whole: OrderedDict[str, int] = OrderedDict()

    def __contains__(self, request_id: str) -> bool:
        """Whether a request has been answered, as far as is remembered."""
        return request_id in self._answers

    def get(self, request_id: str) -> Envelope | None:
        """Return the answer of a request; None when it is not kept any more."""
        return self._answers.get(request_id)

    def keep(self, request_id: str, answer: Envelope) -> None:
        """Keep an answer; the oldest ones make room for it."""
        self._answers[request_id] = answer
        self._whole[request_id] = size = len(answer.data or b"")
        self._bytes += size
        while self._bytes > self._limit and len(self._whole) > 1:
            oldest, freed = self._whole.popitem(last=False)
            self._answers[oldest] = None
            self._bytes -= freed
        if len(self._answers) > REQUESTS_KEPT:
            forgotten, _ = self._answers.popitem(last=False)
            self._bytes -= self._whole.pop(forgotten, 0)


def answer_envelope(
    request: Envelope, agent: AgentId, content: Content, kind: str, *, namespace: str, now: datetime
) -> Envelope:
    """Return the reply or fault by which an agent, named as on the mesh, ends a request."""
    request_id = request.agrequestid or request.id
    extensions: dict[str, ExtensionValue] = {
        names.CORRELATIONID: request.correlationid or request.id,
        names.CAUSATIONID: request.id,
        names.AGHOPS: request.next_hops,
        names.AGMSGKIND: kind,
        names.AGREQUESTID: request_id,
        names.AGAGENTSENDERTYPE: agent.type,
        names.AGAGENTSENDERKEY: agent.key,
    }
    return Envelope(
        id=derive_id("answer", str(agent), request.source, request.id, request.agredrive, request_id),
        source=agent_source(namespace, agent.type, agent.key),
        type=content.type,
        subject=request.subject,
        time=now,
        datacontenttype=content.datacontenttype,
        data=content.data,
        extensions={**content.extensions, **extensions},
    )


def gone_fault(request: Envelope, agent: AgentId, *, namespace: str, now: datetime) -> Envelope:
    """Return the fault `owner gone`, which ends a request to an agent whose process has ended."""
    error = OwnerGoneError(f"owner gone: {agent} has ended with its process")
    return answer_envelope(request, agent, fault_content(error), names.KIND_FAULT, namespace=namespace, now=now)
