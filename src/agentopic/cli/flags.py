"""Flags that several verbs share."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

OutputFormat = Literal["table", "json", "jsonl"]

TransportFlag = Annotated[
    str | None,
    typer.Option(
        "--transport",
        metavar="URL",
        help="Where events travel; wins over AGENTOPIC_TRANSPORT.",
        show_default=False,
    ),
]
JournalFlag = Annotated[
    str | None,
    typer.Option(
        "--journal",
        metavar="URL",
        help="Where state is kept; wins over AGENTOPIC_JOURNAL.",
        show_default=False,
    ),
]
NamespaceFlag = Annotated[
    str | None,
    typer.Option("--namespace", metavar="NAME", help="First part of all topic names.", show_default=False),
]
LogLevelFlag = Annotated[
    str | None,
    typer.Option("--log-level", metavar="LEVEL", help="DEBUG, INFO, WARNING or ERROR.", show_default=False),
]
OutputFlag = Annotated[OutputFormat, typer.Option("--output", "-o", help="Form of what is printed on stdout.")]
TargetsArgument = Annotated[
    list[str],
    typer.Argument(metavar="MODULE:ATTR...", help="Where the services are, such as shop.agents:app."),
]
