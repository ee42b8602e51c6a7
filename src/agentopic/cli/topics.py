"""`agentopic topics`: what a set of services needs, creating it, and what there is."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from agentopic.cli.flags import NamespaceFlag, OutputFlag, TargetsArgument, TransportFlag

app = typer.Typer(add_completion=False, help="Plan, create and list topics.", no_args_is_help=True)

_COLUMNS = ("topic", "partitions", "replication", "config", "status")


@app.callback()
def topics() -> None:
    """Plan, create and list topics."""


@app.command()
def plan(
    targets: TargetsArgument,
    *,
    output: OutputFlag = "table",
    transport: TransportFlag = None,
    namespace: NamespaceFlag = None,
) -> None:
    """Print the topics the services own and what is missing; changes nothing."""
    asyncio.run(_plan(targets, transport, namespace, output, create=False))


@app.command()
def apply(
    targets: TargetsArgument,
    *,
    output: OutputFlag = "table",
    transport: TransportFlag = None,
    namespace: NamespaceFlag = None,
) -> None:
    """Create the topics that are missing; exit code 5 when one exists with other partitions."""
    asyncio.run(_plan(targets, transport, namespace, output, create=True))


@app.command(name="list")
def list_topics(
    *,
    every: Annotated[bool, typer.Option("--all", help="Also topics outside the namespace.")] = False,
    output: OutputFlag = "table",
    transport: TransportFlag = None,
    namespace: NamespaceFlag = None,
) -> None:
    """Print the topics there are, with how many records each holds."""
    asyncio.run(_list(transport, namespace, output, every=every))


async def _plan(targets: list[str], transport: str | None, namespace: str | None, output: Any, *, create: bool) -> None:
    from agentopic.cli.exits import Exit
    from agentopic.cli.output import emit_rows
    from agentopic.cli.session import admit_user_code, connected, prepare
    from agentopic.cli.topic_plan import owned_topics, plan_rows

    settings = prepare(transport=transport, namespace=namespace)
    admit_user_code(settings)
    specs = await owned_topics(settings, targets)
    async with connected(settings) as mesh:
        rows = plan_rows(specs, await mesh.admin.topics())
        if create:
            await mesh.admin.create([spec for spec, row in zip(specs, rows, strict=True) if row["status"] == "create"])
            for row in rows:
                row["status"] = "created" if row["status"] == "create" else row["status"]
    emit_rows(rows, output, _COLUMNS)
    if create and any(row["status"] not in {"created", "exists"} for row in rows):
        raise typer.Exit(Exit.CONFLICT)


async def _list(transport: str | None, namespace: str | None, output: Any, *, every: bool) -> None:
    from agentopic.cli.output import emit_rows
    from agentopic.cli.session import connected, prepare
    from agentopic.cli.topic_plan import listed_topics

    settings = prepare(transport=transport, namespace=namespace)
    async with connected(settings) as mesh:
        rows = await listed_topics(mesh.admin, None if every else settings.namespace)
    emit_rows(rows, output, ("topic", "kind", "name", "partitions", "records"))
