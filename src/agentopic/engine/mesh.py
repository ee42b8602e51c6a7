"""The ports one process works through, chosen by whoever builds the runtime."""

from __future__ import annotations

from dataclasses import dataclass

from agentopic.ports.admin import TopicAdmin
from agentopic.ports.clock import Clock
from agentopic.ports.journal import Journal
from agentopic.ports.transport import Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class Mesh:
    """A transport with its administration, a journal, a clock."""

    transport: Transport
    admin: TopicAdmin
    clock: Clock
    journal: Journal | None = None
    """None for a client that hosts no agent type: it publishes, sends and reads."""

    async def aclose(self) -> None:
        """Close all ports, the journal last: what was sent is still marked in it."""
        await self.transport.aclose()
        await self.admin.aclose()
        if self.journal is not None:
            await self.journal.aclose()
