"""`agentopic dev`: several services in one process, for development."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import typer

from agentopic.cli.flags import (
    JournalFlag,
    LogLevelFlag,
    NamespaceFlag,
    TargetsArgument,
    TransportFlag,
)

if TYPE_CHECKING:
    from agentopic.engine.service import AgentService
    from agentopic.settings import Settings

app = typer.Typer(add_completion=False)


@app.command()
def dev(
    targets: TargetsArgument,
    *,
    transport: TransportFlag = None,
    journal: JournalFlag = None,
    namespace: NamespaceFlag = None,
    log_level: LogLevelFlag = None,
) -> None:
    """Run services together; with AGENTOPIC_RUNTIME_TYPE=local events come from stdin and go to stdout."""
    from agentopic.cli.session import admit_user_code, prepare
    from agentopic.cli.target import load_services

    settings = prepare(transport=transport, journal=journal, namespace=namespace, log_level=log_level)
    admit_user_code(settings)
    services = load_services(targets)
    asyncio.run(_local(services) if settings.runtime_type == "local" else _durable(settings, services))


async def _durable(settings: Settings, services: list[AgentService]) -> None:
    from agentopic.cli.output import note
    from agentopic.cli.serving import describe, serve_services

    def ready() -> None:
        for line in describe(settings, services):
            note(line)

    await serve_services(settings, services, ready)


async def _local(services: list[AgentService]) -> None:
    from agentopic.cli.local import LocalMesh
    from agentopic.cli.output import note
    from agentopic.cli.serving import describe_agents

    for line in describe_agents(services):
        note(line)
    note('stdin      one event per line: {"topic": "task", "subject": "42", "type": "…", "data": {…}}')
    await LocalMesh().run(services)
