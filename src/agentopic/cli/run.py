"""`agentopic run`: one agent type, or a team, as a service."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from agentopic.cli.flags import JournalFlag, LogLevelFlag, NamespaceFlag, TransportFlag

app = typer.Typer(add_completion=False)


@app.command()
def run(
    target: Annotated[
        str,
        typer.Argument(
            metavar="MODULE:ATTR|FILE.json",
            help="Where the service is, such as shop.agents:app; or a team: the function that makes it, or its JSON.",
        ),
    ],
    *,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="MEMBER", help="Of a team: `manager` or a participant; may be repeated."),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="What the team is called; its own name if none.")
    ] = None,
    transport: TransportFlag = None,
    journal: JournalFlag = None,
    namespace: NamespaceFlag = None,
    log_level: LogLevelFlag = None,
) -> None:
    """Serve one agent type, or a team, until SIGTERM, then drain; AGENTOPIC_TOPICS=verify creates no missing topics."""
    from agentopic.cli.serving import serve_services
    from agentopic.cli.session import admit_user_code, prepare
    from agentopic.cli.target import load_services
    from agentopic.errors import ConfigError

    settings = prepare(transport=transport, journal=journal, namespace=namespace, log_level=log_level)
    if settings.runtime_type == "local":
        raise ConfigError(
            "AGENTOPIC_RUNTIME_TYPE=local keeps everything in one process, and a service alone there hears "
            "nobody: use `agentopic dev`, or set it to distributed"
        )
    admit_user_code(settings)
    services = load_services([target], only=only or (), name=name)
    names = ", ".join(service.name for service in services)
    asyncio.run(serve_services(settings, services, lambda: _ready(names)))


def _ready(name: str) -> None:
    import os

    import structlog

    structlog.stdlib.get_logger("agentopic.run").info("ready", agent_type=name, pid=os.getpid())
