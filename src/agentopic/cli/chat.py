"""`agentopic chat`: every line is a request to one agent, every reply is printed."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agentopic.cli.flags import NamespaceFlag, TransportFlag

if TYPE_CHECKING:
    from agentopic.cli.events import EventForm
    from agentopic.cli.stdin import LineReader
    from agentopic.core import AgentId
    from agentopic.envelope import Envelope
    from agentopic.settings import Settings

app = typer.Typer(add_completion=False)

TEXT_PAYLOAD = "agentopic.Text.v1"


@app.command()
def chat(
    agent: Annotated[str, typer.Argument(metavar="TYPE[/KEY]", help="Whom to talk to; the key is `default`.")],
    *,
    payload_type: Annotated[str, typer.Option("--type", metavar="NAME", help="Payload type of a line.")] = TEXT_PAYLOAD,
    field: Annotated[str, typer.Option("--field", help="Field of the payload that holds the line.")] = "content",
    timeout: Annotated[
        float | None,
        typer.Option("--timeout", min=0.0, metavar="SECONDS", help="Deadline per line; that of the settings if none."),
    ] = None,
    transport: TransportFlag = None,
    namespace: NamespaceFlag = None,
) -> None:
    """Read lines until end of file, send each as a request, print each reply."""
    from agentopic.cli.events import EventForm
    from agentopic.cli.session import prepare
    from agentopic.core import AgentId

    settings = prepare(transport=transport, namespace=namespace)
    recipient = AgentId.from_str(agent if "/" in agent else f"{agent}/default")
    form = EventForm(payload_type=payload_type, source=f"/{settings.namespace}/cli")
    deadline = settings.request_timeout_seconds if timeout is None else timeout
    asyncio.run(_chat(settings, recipient, form, field, deadline))


async def _chat(settings: Settings, recipient: AgentId, form: EventForm, field: str, deadline: float | None) -> None:
    from agentopic.cli.asking import asking
    from agentopic.cli.output import compact, emit_line, note
    from agentopic.cli.stdin import stdin_lines
    from agentopic.errors import RequestError

    async with asking(settings, recipient) as ask, stdin_lines() as lines:
        while line := await _prompted(lines, recipient):
            if not line.strip():
                continue
            text = line.decode(errors="replace").rstrip("\r\n")
            request = form.envelope(compact({field: text}).encode())
            try:
                emit_line(_text(await ask(request, deadline), field))
            except RequestError as exc:
                # One question that fails ends nothing: the next line may be answered.
                note(f"agentopic: {exc}")


async def _prompted(lines: LineReader, recipient: AgentId) -> bytes:
    if sys.stdin.isatty():
        sys.stderr.write(f"{recipient}> ")
        sys.stderr.flush()
    return await lines.readline()


def _text(reply: Envelope, field: str) -> str:
    import json

    text = (reply.data or b"").decode(errors="replace")
    try:
        value: Any = json.loads(text)
        return str(value[field])
    except (json.JSONDecodeError, KeyError, TypeError, IndexError):
        # The reply has another form: show it as it is.
        return text
