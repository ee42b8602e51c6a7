"""`agentopic runs`: steering everything that one event has caused."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from agentopic.cli.flags import NamespaceFlag, TransportFlag

if TYPE_CHECKING:
    from agentopic.settings import Settings

app = typer.Typer(add_completion=False, help="Steer runs.", no_args_is_help=True)


@app.callback()
def runs() -> None:
    """Steer runs: everything that one event has caused."""


@app.command()
def cancel(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Its correlationid: the id of its root event.")],
    *,
    transport: TransportFlag = None,
    namespace: NamespaceFlag = None,
) -> None:
    """End a run in all agent types; returns once the command is in the log, which each applies when it reads it."""
    from agentopic.cli.session import prepare

    asyncio.run(_cancel(prepare(transport=transport, namespace=namespace), run))


async def _cancel(settings: Settings, run: str) -> None:
    from agentopic.cli.controlling import controlling
    from agentopic.cli.output import note

    async with controlling(settings, journal=False) as control:
        await control.cancel_run(run)
    note(f"run {run} is to end")
