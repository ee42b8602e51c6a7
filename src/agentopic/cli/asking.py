"""Requests from outside: a client runtime, one recipient, replies or the fault as an error."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from agentopic.errors import RequestError, UnknownAgentError

if TYPE_CHECKING:
    from agentopic.core import AgentId
    from agentopic.envelope import Envelope
    from agentopic.settings import Settings

Ask = Callable[["Envelope", "float | None"], Awaitable["Envelope"]]


@asynccontextmanager
async def asking(settings: Settings, recipient: AgentId) -> AsyncGenerator[Ask]:
    """Connect and hand out the function that asks the recipient within a deadline in seconds.

    Raises:
        UnknownAgentError: no service of that agent type has ever been here.
        UnreachableError: no broker answers.
    """
    from agentopic import wiring
    from agentopic.engine.runtime import EngineRuntime
    from agentopic.envelope.kafka_topics import agent_requests

    mesh = wiring.mesh(settings, journal=False)
    async with EngineRuntime(mesh, wiring.engine_options(settings)) as runtime:
        name = agent_requests(settings.namespace, recipient.type)
        if name not in await mesh.admin.topics():
            raise UnknownAgentError(
                f"there is no agent type {recipient.type!r} (topic {name!r} does not exist): start its "
                "service, or set AGENTOPIC_TRANSPORT and AGENTOPIC_NAMESPACE to where it runs"
            )

        async def ask(request: Envelope, deadline_seconds: float | None) -> Envelope:
            reply = await runtime.request_envelope(request, recipient, deadline_seconds=deadline_seconds)
            return _reply_or_raise(recipient, reply)

        yield ask


def _reply_or_raise(recipient: AgentId, reply: Envelope) -> Envelope:
    if reply.agmsgkind != "fault":
        return reply
    try:
        fault: dict[str, Any] = json.loads(reply.data or b"{}")
    except ValueError:
        fault = {}
    raise RequestError(
        f"{recipient} answered with a fault: {fault.get('error_type', 'error')}: {fault.get('message', '')}"
    )
