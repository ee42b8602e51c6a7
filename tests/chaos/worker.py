"""A worker process of the fault suite: the service on real adapters, with a place to die or a clock set wrong."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import ledger_agent

from agentopic import wiring
from agentopic.adapters.clock import SystemClock
from agentopic.engine.mesh import Mesh
from agentopic.engine.runtime import EngineRuntime
from agentopic.engine.service import serve
from agentopic.settings import Settings
from agentopic.telemetry.logging import configure_logging
from agentopic.testing.fault_points import FaultPoint, FaultPoints


class SteppedClock(SystemClock):
    """A wall clock that is wrong by the seconds in a file, whenever that changes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def now(self) -> datetime:
        """Return the wrong time."""
        return super().now() + timedelta(seconds=float(self._path.read_text() or 0))


async def die() -> None:
    """End this process as a crash would."""
    ledger_agent.HISTORY.note("fault", "ok", os.environ["CHAOS_FAULT_POINT"], hit=[os.environ["CHAOS_FAULT_POINT"]])
    os.kill(os.getpid(), signal.SIGKILL)


def rigged(mesh: Mesh) -> Mesh:
    """Return the mesh with what the environment asks for."""
    if clock := os.environ.get("CHAOS_CLOCK"):
        mesh = replace(mesh, clock=SteppedClock(Path(clock)))
    if place := os.environ.get("CHAOS_FAULT_POINT"):
        name, _, nth = place.partition(":")
        points = FaultPoints(cast("FaultPoint", name), die, nth=int(nth or 1))
        ledger_agent.points.append(points)
        journal: Any = mesh.journal
        mesh = replace(mesh, journal=points.journal(journal), transport=points.transport(mesh.transport))
    return mesh


def ready() -> None:
    """Tell whoever started this process."""
    sys.stdout.write('{"event": "ready"}\n')
    sys.stdout.flush()


async def main(settings: Settings) -> None:
    """Serve until SIGTERM."""
    runtime = EngineRuntime(rigged(wiring.mesh(settings)), wiring.engine_options(settings))
    served = import_module(os.environ.get("CHAOS_SERVICE", "ledger_agent"))
    await serve(runtime, [served.app], ready=ready)


if __name__ == "__main__":
    given = Settings()
    configure_logging(given.log_level)
    asyncio.run(main(given))
    sys.exit(0)
