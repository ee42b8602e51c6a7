"""`agentopic doctor`: is everything there that a service needs, and if not, what to do."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Annotated

import typer

from agentopic.cli.flags import JournalFlag, NamespaceFlag, OutputFlag, TransportFlag

app = typer.Typer(add_completion=False)


@app.command()
def doctor(
    targets: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MODULE:ATTR]...", help="Services whose topics to check too."),
    ] = None,
    *,
    output: OutputFlag = "table",
    transport: TransportFlag = None,
    journal: JournalFlag = None,
    namespace: NamespaceFlag = None,
) -> None:
    """Check this machine, the transport and the journal; exit code 9 when a check fails."""
    from agentopic.cli.checks import examine
    from agentopic.cli.exits import Exit
    from agentopic.cli.output import emit_rows
    from agentopic.cli.session import admit_user_code, prepare

    settings = prepare(transport=transport, journal=journal, namespace=namespace, log_level="CRITICAL")
    admit_user_code(settings)
    findings = asyncio.run(examine(settings, targets or []))
    emit_rows([asdict(each) for each in findings], output, ("check", "status", "detail", "fix"))
    if any(each.status == "fail" for each in findings):
        raise typer.Exit(Exit.CHECK_FAILED)
