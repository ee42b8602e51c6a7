"""`agentopic inbox`: the questions that agents ask people, and answering them."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agentopic.cli.flags import JournalFlag, NamespaceFlag, OutputFlag, OutputFormat, TransportFlag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentopic.engine.control_client import OpenQuestion
    from agentopic.settings import Settings

app = typer.Typer(add_completion=False, help="Read and answer the questions of agents.", no_args_is_help=True)

QuestionArgument = Annotated[
    str, typer.Argument(metavar="ID", help="The question; the beginnings of both parts of its id are enough.")
]

_COLUMNS = ("id", "agent", "asked", "text", "choices")


@app.callback()
def inbox() -> None:
    """Read and answer the questions of agents."""


@app.command(name="list")
def list_questions(
    agent_types: Annotated[
        list[str] | None,
        typer.Argument(metavar="[AGENT_TYPE]...", help="Whose questions; without any, all.", show_default=False),
    ] = None,
    *,
    output: OutputFlag = "table",
    transport: TransportFlag = None,
    journal: JournalFlag = None,
    namespace: NamespaceFlag = None,
) -> None:
    """Print the open questions, the oldest first; whether the agents' services are running does not matter."""
    from agentopic.cli.output import emit_rows
    from agentopic.cli.questions import question_row, table_row
    from agentopic.cli.session import prepare

    settings = prepare(transport=transport, journal=journal, namespace=namespace)
    questions = asyncio.run(_open(settings, agent_types))
    form = table_row if output == "table" else question_row
    emit_rows([form(question) for question in questions], output, _COLUMNS)


@app.command()
def show(
    question: QuestionArgument,
    *,
    output: OutputFlag = "json",
    transport: TransportFlag = None,
    journal: JournalFlag = None,
    namespace: NamespaceFlag = None,
) -> None:
    """Print one question with all its details."""
    from agentopic.cli.questions import find_question, question_row
    from agentopic.cli.session import prepare

    settings = prepare(transport=transport, journal=journal, namespace=namespace)
    row = question_row(find_question(asyncio.run(_open(settings, None)), question))
    _emit_one(row, output)


@app.command()
def answer(
    question: QuestionArgument,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="The answer, a text; - reads it from stdin.")],
    *,
    is_json: Annotated[bool, typer.Option("--json", help="The answer is JSON, not a text.")] = False,
    free: Annotated[bool, typer.Option("--free", help="Answer something that is none of the choices.")] = False,
    transport: TransportFlag = None,
    journal: JournalFlag = None,
    namespace: NamespaceFlag = None,
) -> None:
    """Answer a question; the first answer counts. A service that is down finds it when it is up again."""
    from agentopic.cli.events import read_payload
    from agentopic.cli.session import prepare

    settings = prepare(transport=transport, journal=journal, namespace=namespace)
    text = read_payload(None).decode(errors="replace") if value == "-" else value
    asyncio.run(_answer(settings, question, _parsed(text) if is_json else text, free=free))


async def _open(settings: Settings, agent_types: list[str] | None) -> Sequence[OpenQuestion]:
    from agentopic.cli.controlling import controlling

    async with controlling(settings, journal=True) as control:
        return await control.questions(agent_types or None)


async def _answer(settings: Settings, name: str, value: Any, *, free: bool) -> None:
    from agentopic.cli.controlling import controlling
    from agentopic.cli.output import note
    from agentopic.cli.questions import check_choice, find_question

    async with controlling(settings, journal=True) as control:
        question = find_question(await control.questions(), name)
        if not free:
            check_choice(question, value)
        await control.answer(question.id, question.agent, value)
    note(f"answered {question.id} of {question.agent}")


def _parsed(text: str) -> Any:
    from agentopic.errors import ConfigError

    try:
        return json.loads(text)
    except json.JSONDecodeError as exc:
        raise ConfigError(f"the answer is no JSON: {exc}; without --json it is a text") from exc


def _emit_one(row: dict[str, Any], output: OutputFormat) -> None:
    from agentopic.cli.output import emit_json, emit_rows

    if output == "json":
        emit_json(row)
    elif output == "jsonl":
        emit_rows([row], output, ())
    else:
        fields = [{"field": name, "value": value} for name, value in row.items()]
        emit_rows(fields, output, ("field", "value"))
