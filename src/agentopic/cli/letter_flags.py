"""Flags that choose dead letters."""

from __future__ import annotations

from typing import Annotated

import typer

AgentTypeArgument = Annotated[str, typer.Argument(metavar="AGENT_TYPE", help="Whose letters, such as `analyst`.")]
LettersArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[LETTER]...", help="As `dlq list` names them, such as 3:17.", show_default=False),
]
TypeFilter = Annotated[
    str | None, typer.Option("--type", metavar="NAME", help="Only events of this payload type.", show_default=False)
]
ReasonFilter = Annotated[
    str | None,
    typer.Option("--reason", metavar="CLASS", help="Only this reason, such as ValueError.", show_default=False),
]
SinceFilter = Annotated[
    str | None,
    typer.Option(
        "--since", metavar="WHEN", help="Only since 30m, 12h, 7d ago or an ISO 8601 time.", show_default=False
    ),
]
KeyFilter = Annotated[
    str | None, typer.Option("--key", metavar="KEY", help="Only of the agent with this key.", show_default=False)
]
SourceFilter = Annotated[
    str | None, typer.Option("--source", metavar="URI", help="Only events of this source.", show_default=False)
]
IdFilter = Annotated[str | None, typer.Option("--id", metavar="ID", help="Only this event.", show_default=False)]
ActorFlag = Annotated[
    str | None,
    typer.Option(
        "--actor", metavar="NAME", help="Who does it; without it, the user of the system.", show_default=False
    ),
]
BecauseFlag = Annotated[
    str | None, typer.Option("--because", metavar="TEXT", help="Why, for the record.", show_default=False)
]
YesFlag = Annotated[bool, typer.Option("--yes", "-y", help="Do it; without it, only show what would be done.")]
DryRunFlag = Annotated[bool, typer.Option("--dry-run", help="Only show what would be done, whatever --yes says.")]
