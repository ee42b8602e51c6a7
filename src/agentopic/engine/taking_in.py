"""Taking in: what lies unread on the log becomes stored deliveries, and nothing of it is run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agentopic.engine.mesh import Mesh
from agentopic.engine.options import EngineOptions
from agentopic.engine.runtime import EngineRuntime
from agentopic.engine.service import AgentService

UNLIMITED = 2**62


async def take_in(mesh: Mesh, options: EngineOptions, services: Sequence[AgentService]) -> None:
    """Store every unread record of these services as deliveries, with a process that has no slots; closes the mesh.

    Raises:
        AgentopicError: what kept it from starting, or ended it.
    """
    reading = replace(options, max_concurrent_agents=0, message_queue_size=UNLIMITED)
    runtime = EngineRuntime(mesh, reading)
    try:
        for service in services:
            await service.register(runtime)
        await runtime.start()
        await runtime.stop_when_stored()
    finally:
        await runtime.stop()
