"""A client of the mesh that sends commands."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentopic.engine.control_client import ControlClient
    from agentopic.settings import Settings


@asynccontextmanager
async def controlling(settings: Settings, *, journal: bool) -> AsyncGenerator[ControlClient]:
    """Connect and hand out the control client; without a journal it can send, not look up.

    Raises:
        UnreachableError: no broker answers.
    """
    from agentopic import wiring
    from agentopic.engine.runtime import EngineRuntime

    mesh = wiring.mesh(settings, journal=journal)
    async with EngineRuntime(mesh, wiring.engine_options(settings)) as runtime:
        yield runtime.control
