"""The ports one process works through, chosen by whoever builds the runtime."""

from __future__ import annotations

from dataclasses import dataclass

from agentopic.engine.liveness import Heartbeat
from agentopic.ports.admin import TopicAdmin
from agentopic.ports.blobs import Blobs
from agentopic.ports.clock import Clock
from agentopic.ports.journal import Journal
from agentopic.ports.rate_limits import RateLimits
from agentopic.ports.transport import Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class Mesh:
    """A transport with its administration, a journal, a clock."""

    transport: Transport
    admin: TopicAdmin
    clock: Clock
    journal: Journal | None = None
    """None for a client that hosts no agent type: it publishes, sends and reads."""
    blobs: Blobs | None = None
    """Where payloads are that do not travel; None: all travel."""
    rate_limits: RateLimits | None = None
    """None where nobody limits how often models are called."""
    heartbeat: type[Heartbeat] = Heartbeat
    """What beats for this process; a simulation, which has no threads, brings its own."""

    async def aclose(self) -> None:
        """Close all ports, the journal last: what was sent is still marked in it."""
        if self.rate_limits is not None:
            await self.rate_limits.aclose()
        await self.transport.aclose()
        await self.admin.aclose()
        if self.blobs is not None:
            await self.blobs.aclose()
        if self.journal is not None:
            await self.journal.aclose()
