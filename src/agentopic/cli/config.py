"""`agentopic config show`: the settings in force and where each comes from."""

from __future__ import annotations

from typing import Annotated

import typer

from agentopic.cli.flags import JournalFlag, NamespaceFlag, OutputFlag, TransportFlag

app = typer.Typer(add_completion=False, help="Look at the settings.", no_args_is_help=True)


@app.callback()
def config() -> None:
    """Look at the settings."""


@app.command()
def show(
    *,
    origin: Annotated[bool, typer.Option("--origin", help="Say which source decided.")] = False,
    output: OutputFlag = "table",
    transport: TransportFlag = None,
    journal: JournalFlag = None,
    namespace: NamespaceFlag = None,
) -> None:
    """Print every setting with its value; secrets are masked."""
    from dataclasses import asdict

    from agentopic.cli.output import emit_rows
    from agentopic.settings import Settings

    settings = Settings(transport=transport, journal=journal, namespace=namespace)
    rows = [asdict(each) for each in settings.origins()]
    columns = ("variable", "value", "source") if origin else ("variable", "value")
    if not origin:
        for row in rows:
            del row["source"]
    emit_rows(rows, output, columns)
