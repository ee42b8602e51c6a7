"""What every verb does first: settings, logging, and a connection to the transport."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from agentopic.errors import MissingTopicError

if TYPE_CHECKING:
    from agentopic.engine.mesh import Mesh
    from agentopic.settings import Settings


def prepare(
    *,
    transport: str | None = None,
    journal: str | None = None,
    namespace: str | None = None,
    log_level: str | None = None,
    runtime_type: str | None = None,
) -> Settings:
    """Read the settings, the flags winning, and make this process log as they say.

    Raises:
        ConfigError: a setting is not allowed.
    """
    from agentopic.settings import Settings
    from agentopic.telemetry.logging import configure_logging

    settings = Settings(
        transport=transport,
        journal=journal,
        namespace=namespace,
        log_level=log_level,
        runtime_type=runtime_type,
    )
    configure_logging(settings.log_level, settings.log_format)
    return settings


def admit_user_code(settings: Settings) -> None:
    """Make ready for importing services: their SDKs find the provider keys, component JSON its packages."""
    from agentopic.core._component_policy import ComponentPolicy, policy_in_force, set_component_policy

    settings.export_provider_keys()
    namespaces = policy_in_force().namespaces | frozenset(settings.allowed_provider_namespaces)
    set_component_policy(
        ComponentPolicy(
            namespaces=namespaces,
            allow_source_code=settings.allow_component_source,
            allow_commands=settings.allow_component_commands,
        )
    )


@asynccontextmanager
async def connected(settings: Settings) -> AsyncGenerator[Mesh]:
    """Connect as a client that hosts no agents, and disconnect at the end.

    Raises:
        ConfigError: the transport's URL cannot be understood.
        UnreachableError: no broker answers.
    """
    from agentopic import wiring

    mesh = wiring.mesh(settings, journal=False)
    try:
        await mesh.transport.start()
        yield mesh
    finally:
        await mesh.aclose()


async def require_topics(mesh: Mesh, names: Iterable[str]) -> dict[str, int]:
    """Return the number of partitions of each topic.

    Raises:
        MissingTopicError: one does not exist.
    """
    existing = await mesh.admin.topics()
    missing = [name for name in names if name not in existing]
    if missing:
        raise MissingTopicError(
            missing[0], "start the service that owns it, or run `agentopic topics apply MODULE:ATTR`"
        )
    return {name: existing[name] for name in names}
