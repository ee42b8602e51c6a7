"""`agentopic demo`: the main job on real data, with a worker killed on purpose."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

app = typer.Typer(add_completion=False)


@app.command()
def demo(
    *,
    transport: Annotated[
        Literal["sqlite", "kafka"],
        typer.Option("--transport", help="The embedded default, or a real Apache Kafka."),
    ] = "sqlite",
    tasks: Annotated[int | None, typer.Option("--tasks", min=1, help="How many tasks.", show_default=False)] = None,
    runtime_type: Annotated[
        Literal["local", "distributed"] | None,
        typer.Option("--runtime-type", help="Wins over AGENTOPIC_RUNTIME_TYPE.", show_default=False),
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the working directory.")] = False,
    output: Annotated[Literal["table", "json"], typer.Option("--output", "-o", help="Form of the result.")] = "table",
    progress: Annotated[bool, typer.Option("--progress/--no-progress", help="Show what happens.")] = True,
) -> None:
    """Answer real questions with three services, kill one in the middle, and count what came of it."""
    from agentopic.cli.session import prepare
    from agentopic.demo.main import DemoOptions, main

    settings = prepare(runtime_type=runtime_type, log_level="WARNING")
    options = DemoOptions(
        transport=transport,
        runtime_type=settings.runtime_type,
        keep=keep,
        output=output,
        progress=progress,
        **({} if tasks is None else {"tasks": tasks}),
    )
    raise typer.Exit(main(options))
