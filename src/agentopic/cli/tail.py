"""`agentopic tail`: print the events of topics, one structured CloudEvent per line."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from agentopic.cli.flags import NamespaceFlag, TransportFlag

if TYPE_CHECKING:
    from agentopic.cli.reading import Span
    from agentopic.settings import Settings

app = typer.Typer(add_completion=False)


@app.command()
def tail(
    topics: Annotated[list[str], typer.Argument(metavar="TOPIC...", help="Topic types, such as `report`.")],
    *,
    raw: Annotated[bool, typer.Option("--raw", help="The arguments are names of Kafka topics.")] = False,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="Print what is there and end; --follow goes on after it.")
    ] = False,
    follow: Annotated[
        bool,
        typer.Option("--follow", "-f", help="Wait for new events; the default without --from-beginning."),
    ] = False,
    limit: Annotated[
        int | None, typer.Option("--max", "-n", min=1, help="End after so many events.", show_default=False)
    ] = None,
    wait: Annotated[
        float,
        typer.Option("--wait", min=0, metavar="SECONDS", help="Wait for a topic that does not exist yet."),
    ] = 0.0,
    output: Annotated[Literal["table", "jsonl"], typer.Option("--output", "-o", help="Form of the lines.")] = "jsonl",
    transport: TransportFlag = None,
    namespace: NamespaceFlag = None,
) -> None:
    """Print events as they are in the log; what is no CloudEvent is shown with its position and its fault."""
    from agentopic.cli.reading import Span
    from agentopic.cli.session import prepare
    from agentopic.envelope.kafka_topics import topic_events

    settings = prepare(transport=transport, namespace=namespace)
    names = topics if raw else [topic_events(settings.namespace, topic) for topic in topics]
    span = Span(from_beginning=from_beginning, follow=follow or not from_beginning, limit=limit, wait_seconds=wait)
    asyncio.run(_tail(settings, names, span, output))


async def _tail(settings: Settings, names: list[str], span: Span, output: Literal["table", "jsonl"]) -> None:
    from agentopic.cli.lines import line_of, table_line_of
    from agentopic.cli.output import emit_line
    from agentopic.cli.reading import read_span
    from agentopic.cli.session import connected

    shown = table_line_of if output == "table" else line_of
    async with connected(settings) as mesh:
        async for record in read_span(mesh, names, span):
            emit_line(shown(record, settings.max_event_bytes))
