"""The public test kit: a mesh in memory, crashes everywhere, demands on events, a clock, real servers on loopback."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentopic.testing.clock import FakeClock
    from agentopic.testing.crash_points import Aftermath, crash_everywhere, crash_point
    from agentopic.testing.expectation import Expectation, expect
    from agentopic.testing.kafka import KafkaServer
    from agentopic.testing.landed import DeadLetter
    from agentopic.testing.memory_mesh import MemoryMesh
    from agentopic.testing.postgres import PostgresServer, fresh_database
    from agentopic.testing.redis import RedisServer

__all__ = [
    "Aftermath",
    "DeadLetter",
    "Expectation",
    "FakeClock",
    "KafkaServer",
    "MemoryMesh",
    "PostgresServer",
    "RedisServer",
    "crash_everywhere",
    "crash_point",
    "expect",
    "fresh_database",
]

_HOMES = {
    "clock": ("FakeClock",),
    "crash_points": ("Aftermath", "crash_everywhere", "crash_point"),
    "expectation": ("Expectation", "expect"),
    "kafka": ("KafkaServer",),
    "landed": ("DeadLetter",),
    "memory_mesh": ("MemoryMesh",),
    "postgres": ("PostgresServer", "fresh_database"),
    "redis": ("RedisServer",),
}
# Who needs an event assertion shall not load a server, and the other way round.
_MODULES = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
