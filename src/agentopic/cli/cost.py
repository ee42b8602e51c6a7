"""`agentopic cost`: what runs and agent types have spent on models, as the journal counts it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agentopic.cli.flags import JournalFlag, NamespaceFlag, OutputFlag

if TYPE_CHECKING:
    from agentopic.settings import Settings

app = typer.Typer(add_completion=False, help="Show what runs and agent types spend on models.", no_args_is_help=True)

_COUNTS = ("calls", "saved", "unknown", "diverged", "input_tokens", "output_tokens", "usd", "unpriced")


@app.callback()
def cost() -> None:
    """Show what runs and agent types spend on models."""


@app.command()
def run(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Ids of runs: their correlationid.")],
    *,
    output: OutputFlag = "table",
    journal: JournalFlag = None,
    namespace: NamespaceFlag = None,
) -> None:
    """Print what runs have cost, every agent that worked for them included."""
    from agentopic.cli.output import emit_rows
    from agentopic.cli.session import prepare
    from agentopic.engine.ledger import run_scope

    settings = prepare(journal=journal, namespace=namespace)
    rows = asyncio.run(_rows(settings, [({"run": each}, run_scope(each)) for each in runs]))
    emit_rows(rows, output, ("run", *_COUNTS))


@app.command(name="type")
def agent_type(
    names: Annotated[list[str], typer.Argument(metavar="AGENT_TYPE...", help="Agent types, such as `analyst`.")],
    *,
    day: Annotated[
        datetime | None,
        typer.Option("--day", formats=["%Y-%m-%d"], metavar="DATE", help="The last day, UTC; without it, today."),
    ] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="How many days up to it.")] = 1,
    output: OutputFlag = "table",
    journal: JournalFlag = None,
    namespace: NamespaceFlag = None,
) -> None:
    """Print what agent types have cost, one row for each day."""
    from agentopic.cli.output import emit_rows
    from agentopic.cli.session import prepare
    from agentopic.engine.ledger import type_scope
    from agentopic.envelope.kafka_topics import consumer_group

    settings = prepare(journal=journal, namespace=namespace)
    last = datetime.now(UTC).date() if day is None else day.date()
    asked = [
        ({"agent_type": name, "day": each.isoformat()}, type_scope(consumer_group(settings.namespace, name), each))
        for name in names
        for each in _days(last, days)
    ]
    emit_rows(asyncio.run(_rows(settings, asked)), output, ("agent_type", "day", *_COUNTS))


def _days(last: date, count: int) -> Sequence[date]:
    return [last - timedelta(days=before) for before in reversed(range(count))]


async def _rows(settings: Settings, asked: Sequence[tuple[Mapping[str, str], str]]) -> Sequence[Mapping[str, Any]]:
    from agentopic import wiring
    from agentopic.engine.ledger import cost_facts

    journal = wiring.journal_of(settings.journal_url())
    try:
        await journal.start()
        spent = await journal.spent([scope for _, scope in asked])
    finally:
        await journal.aclose()
    return [{**names, **cost_facts(spent[scope])} for names, scope in asked]
