"""`agentopic agents`: pausing single agents."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from agentopic.cli.flags import NamespaceFlag, TransportFlag

if TYPE_CHECKING:
    from agentopic.core import AgentId
    from agentopic.settings import Settings

app = typer.Typer(add_completion=False, help="Steer agents.", no_args_is_help=True)

TypeArgument = Annotated[str, typer.Argument(metavar="AGENT_TYPE", help="Such as `analyst`.")]
KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="Which agent of the type.")]


@app.callback()
def agents() -> None:
    """Steer single agents."""


@app.command()
def pause(
    agent_type: TypeArgument, key: KeyArgument, *, transport: TransportFlag = None, namespace: NamespaceFlag = None
) -> None:
    """Have an agent start nothing more until it is resumed; what it runs ends."""
    from agentopic.cli.session import prepare
    from agentopic.core import AgentId

    settings = prepare(transport=transport, namespace=namespace)
    asyncio.run(_steer(settings, AgentId(agent_type, key), paused=True))


@app.command()
def resume(
    agent_type: TypeArgument, key: KeyArgument, *, transport: TransportFlag = None, namespace: NamespaceFlag = None
) -> None:
    """Let a paused agent go on."""
    from agentopic.cli.session import prepare
    from agentopic.core import AgentId

    settings = prepare(transport=transport, namespace=namespace)
    asyncio.run(_steer(settings, AgentId(agent_type, key), paused=False))


async def _steer(settings: Settings, agent: AgentId, *, paused: bool) -> None:
    from agentopic.cli.controlling import controlling
    from agentopic.cli.output import note

    async with controlling(settings, journal=False) as control:
        await (control.pause(agent) if paused else control.resume(agent))
    note(f"{agent} is to {'pause' if paused else 'go on'}")
