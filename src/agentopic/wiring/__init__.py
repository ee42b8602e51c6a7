"""The only chooser of adapters: URLs and settings become a mesh, options and a runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentopic.settings import Settings
from agentopic.wiring.blobs import blobs_beside, blobs_of
from agentopic.wiring.choice import sqlite_path
from agentopic.wiring.journals import journal_of, journal_with_cache, migrate_journal
from agentopic.wiring.options import engine_options, metering_options, rate_limits_of
from agentopic.wiring.transports import RECORD_BYTES, Wires, kafka_options, transport_of

if TYPE_CHECKING:
    from agentopic.core import SingleThreadedAgentRuntime
    from agentopic.engine.mesh import Mesh
    from agentopic.engine.runtime import EngineRuntime


def mesh(settings: Settings, *, journal: bool = True) -> Mesh:
    """Build the ports the settings name; nothing is connected yet. Without a journal it serves clients only.

    Raises:
        ConfigError: a URL cannot be understood, or its scheme is unknown; it names those that are known.
        MissingExtraError: the chosen adapter's client library is not installed.
    """
    from agentopic.adapters.clock import SystemClock
    from agentopic.engine.mesh import Mesh

    wires = transport_of(settings.transport)
    return Mesh(
        transport=wires.transport,
        admin=wires.admin,
        clock=SystemClock(),
        journal=journal_with_cache(settings) if journal else None,
        blobs=blobs_beside(settings),
        rate_limits=rate_limits_of(settings) if journal else None,
    )


def runtime(settings: Settings) -> SingleThreadedAgentRuntime | EngineRuntime:
    """Return the runtime the settings ask for: in this process, or on their transport and journal.

    Raises:
        ConfigError: as `mesh`.
    """
    if settings.runtime_type == "local":
        from opentelemetry.trace import NoOpTracerProvider

        from agentopic.core import SingleThreadedAgentRuntime

        # None: the provider that the program has set up globally.
        silence = NoOpTracerProvider() if settings.disable_runtime_tracing else None
        return SingleThreadedAgentRuntime(tracer_provider=silence)
    from agentopic.engine.runtime import EngineRuntime

    return EngineRuntime(mesh(settings), engine_options(settings))


__all__ = [
    "RECORD_BYTES",
    "Wires",
    "blobs_of",
    "engine_options",
    "journal_of",
    "kafka_options",
    "mesh",
    "metering_options",
    "migrate_journal",
    "rate_limits_of",
    "runtime",
    "sqlite_path",
    "transport_of",
]
