"""`agentopic dlq`: dead letters, looked at, sent again to the agent that failed, or set aside."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agentopic.cli.flags import NamespaceFlag, OutputFlag, OutputFormat, TransportFlag
from agentopic.cli.letter_flags import (
    ActorFlag,
    AgentTypeArgument,
    BecauseFlag,
    DryRunFlag,
    IdFilter,
    KeyFilter,
    LettersArgument,
    ReasonFilter,
    SinceFilter,
    SourceFilter,
    TypeFilter,
    YesFlag,
)

if TYPE_CHECKING:
    from agentopic.cli.letter_choice import LetterChoice
    from agentopic.cli.letter_settling import Settling
    from agentopic.engine.letter_desk import Errand
    from agentopic.engine.letters import LetterState
    from agentopic.settings import Settings

app = typer.Typer(add_completion=False, help="Look at dead letters and deal with them.", no_args_is_help=True)

LimitFlag = Annotated[
    int | None, typer.Option("--limit", min=1, help="At most so many, the oldest first.", show_default=False)
]

_LIST_COLUMNS = ("letter", "time", "agent_type", "agent", "event_type", "reason", "attempts", "redrive", "message")
_SETTLED_COLUMNS = (*_LIST_COLUMNS, "status", "by", "why")
_JOB_COLUMNS = ("letter", "agent", "event_type", "id", "reason", "status", "to", "redrive", "detail")


@app.callback()
def dlq() -> None:
    """Look at dead letters and deal with them."""


@app.command(name="list")
def list_letters(
    agent_types: Annotated[
        list[str] | None,
        typer.Argument(metavar="[AGENT_TYPE]...", help="Whose letters; without any, all.", show_default=False),
    ] = None,
    *,
    event_type: TypeFilter = None,
    reason: ReasonFilter = None,
    since: SinceFilter = None,
    key: KeyFilter = None,
    source: SourceFilter = None,
    event_id: IdFilter = None,
    every: Annotated[bool, typer.Option("--all", help="Also those that were redriven or discarded.")] = False,
    counts: Annotated[bool, typer.Option("--counts", help="Only how many there are, by reason.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many, the latest.")] = 100,
    output: OutputFlag = "table",
    transport: TransportFlag = None,
    namespace: NamespaceFlag = None,
) -> None:
    """Print dead letters, the oldest first; how many there are by reason goes to stderr."""
    from agentopic.cli.letter_view import counted, letter_row, shortened
    from agentopic.cli.output import emit_rows, note
    from agentopic.cli.session import prepare

    settings = prepare(transport=transport, namespace=namespace)
    filters = {"event_type": event_type, "reason": reason, "key": key, "source": source, "event_id": event_id}
    found = asyncio.run(_found(settings, agent_types, _choice(None, since, filters), every=every))
    if counts:
        emit_rows(counted(found), output, ("agent_type", "reason", "status", "letters", "first", "last"))
        return
    rows = [letter_row(state) for state in found[-limit:]]
    columns = _SETTLED_COLUMNS if every else _LIST_COLUMNS
    emit_rows([shortened(row) for row in rows] if output == "table" else rows, output, columns)
    note(_summary(found, len(rows)))


@app.command()
def show(
    agent_type: AgentTypeArgument,
    letters: Annotated[list[str], typer.Argument(metavar="LETTER...", help="As `dlq list` names them.")],
    *,
    exact: Annotated[
        bool, typer.Option("--bytes", help="Write the values alone, byte for byte, nothing concealed.")
    ] = False,
    max_bytes: Annotated[int, typer.Option("--max-bytes", min=0, help="Show at most so much of a value.")] = 4096,
    output: OutputFlag = "table",
    transport: TransportFlag = None,
    namespace: NamespaceFlag = None,
) -> None:
    """Print letters whole: facts, headers and value, without secrets."""
    from agentopic.cli.letter_choice import LetterChoice
    from agentopic.cli.session import prepare

    settings = prepare(transport=transport, namespace=namespace)
    choice = LetterChoice(names=tuple(letters))
    asyncio.run(_show(settings, agent_type, choice, output, max_bytes=max_bytes, exact=exact))


@app.command()
def redrive(
    agent_type: AgentTypeArgument,
    letters: LettersArgument = None,
    *,
    event_type: TypeFilter = None,
    reason: ReasonFilter = None,
    since: SinceFilter = None,
    key: KeyFilter = None,
    source: SourceFilter = None,
    event_id: IdFilter = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Make recorded calls again; without it, their results are used.")
    ] = False,
    rate: Annotated[
        float | None,
        typer.Option("--rate", min=0.001, metavar="N", help="At most so many per second.", show_default=False),
    ] = None,
    limit: LimitFlag = None,
    yes: YesFlag = False,
    dry_run: DryRunFlag = False,
    actor: ActorFlag = None,
    because: BecauseFlag = None,
    output: OutputFlag = "table",
    transport: TransportFlag = None,
    namespace: NamespaceFlag = None,
) -> None:
    """Send letters to the agents that failed, and to them alone; shows what would be sent unless --yes is given."""
    from agentopic.cli.letter_settling import Settling
    from agentopic.cli.session import prepare

    filters = {"event_type": event_type, "reason": reason, "key": key, "source": source, "event_id": event_id}
    settling = Settling(
        settings=prepare(transport=transport, namespace=namespace),
        agent_type=agent_type,
        choice=_choice(letters, since, filters),
        errand=_errand(actor, because) if yes and not dry_run else None,
        redrives=True,
        limit=limit,
        fresh=fresh,
        rate=rate,
    )
    asyncio.run(_settle(settling, output))


@app.command()
def discard(
    agent_type: AgentTypeArgument,
    letters: LettersArgument = None,
    *,
    event_type: TypeFilter = None,
    reason: ReasonFilter = None,
    since: SinceFilter = None,
    key: KeyFilter = None,
    source: SourceFilter = None,
    event_id: IdFilter = None,
    limit: LimitFlag = None,
    yes: YesFlag = False,
    dry_run: DryRunFlag = False,
    actor: ActorFlag = None,
    because: BecauseFlag = None,
    output: OutputFlag = "table",
    transport: TransportFlag = None,
    namespace: NamespaceFlag = None,
) -> None:
    """Set letters aside as dealt with; they stay in the log. Shows what would be done unless --yes is given."""
    from agentopic.cli.letter_settling import Settling
    from agentopic.cli.session import prepare

    filters = {"event_type": event_type, "reason": reason, "key": key, "source": source, "event_id": event_id}
    settling = Settling(
        settings=prepare(transport=transport, namespace=namespace),
        agent_type=agent_type,
        choice=_choice(letters, since, filters),
        errand=_errand(actor, because) if yes and not dry_run else None,
        redrives=False,
        limit=limit,
    )
    asyncio.run(_settle(settling, output))


# ── what the verbs do ──────────────────────────────────────────────────────────────────────────────────────


async def _found(
    settings: Settings, agent_types: Sequence[str] | None, choice: LetterChoice, *, every: bool
) -> list[LetterState]:
    from agentopic.cli.letter_reading import read_box, types_with_letters
    from agentopic.cli.session import connected

    found: list[LetterState] = []
    async with connected(settings) as mesh:
        for agent_type in agent_types or await types_with_letters(mesh, settings):
            box = await read_box(mesh, settings, agent_type)
            found += choice.of(box.states(), settled=every)
    if len({state.letter.agent_type for state in found}) > 1:
        found.sort(key=lambda state: 0.0 if state.letter.time is None else state.letter.time.timestamp())
    return found


async def _show(
    settings: Settings, agent_type: str, choice: LetterChoice, output: OutputFormat, *, max_bytes: int, exact: bool
) -> None:
    from agentopic.cli.letter_reading import read_box, read_places
    from agentopic.cli.letter_view import field_rows, whole_letter
    from agentopic.cli.output import emit_rows
    from agentopic.cli.session import connected
    from agentopic.envelope.kafka_topics import dead_letters

    async with connected(settings) as mesh:
        states = choice.of((await read_box(mesh, settings, agent_type)).states(), settled=True)
        wanted = {state.letter.place: state for state in states}
        records = {
            (each.partition, each.offset): each
            async for each in read_places(mesh, dead_letters(settings.namespace, agent_type), wanted)
        }
    if exact:
        for place in wanted:
            sys.stdout.buffer.write(records[place].value or b"")
        sys.stdout.buffer.flush()
        return
    whole = [whole_letter(records[place], state, max_bytes) for place, state in wanted.items()]
    shown = [row for each in whole for row in field_rows(each)] if output == "table" else whole
    emit_rows(shown, output, ("field", "value"))


def _choice(letters: Sequence[str] | None, since: str | None, filters: Mapping[str, str | None]) -> LetterChoice:
    from agentopic.cli.letter_choice import LetterChoice, parse_since

    return LetterChoice(names=tuple(letters or ()), since=parse_since(since), **filters)


def _errand(actor: str | None, because: str | None) -> Errand:
    from agentopic.cli.letter_settling import current_actor
    from agentopic.engine.letter_desk import Errand

    return Errand(actor=actor or current_actor(), why=because)


async def _settle(settling: Settling, output: OutputFormat) -> None:
    from agentopic.cli.exits import Exit
    from agentopic.cli.letter_settling import carry_out, planned
    from agentopic.cli.output import emit_rows, note
    from agentopic.cli.session import connected

    async with connected(settling.settings) as mesh:
        job = await planned(settling, mesh)
        done = settling.errand is None or await carry_out(job, settling, settling.errand, mesh)
    emit_rows(job.rows, output, _JOB_COLUMNS)
    note(_statuses(job.rows) + ("; nothing was done: --yes does it" if settling.errand is None else ""))
    if not done:
        raise typer.Exit(Exit.PARTLY)


def _statuses(rows: Sequence[dict[str, Any]]) -> str:
    counts = Counter(str(row["status"]) for row in rows)
    return ", ".join(f"{count} {status}" for status, count in counts.items()) or "no letters"


def _summary(found: Sequence[LetterState], shown: int) -> str:
    counts = Counter(state.letter.reason for state in found)
    total = f"{len(found)} letters" if len(found) != 1 else "1 letter"
    reasons = ", ".join(f"{count} {reason}" for reason, count in counts.most_common())
    cut = f"; the latest {shown} are shown" if shown < len(found) else ""
    return f"{total}{': ' if reasons else ''}{reasons}{cut}"
