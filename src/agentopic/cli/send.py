"""`agentopic send`: ask one agent and print its reply."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from agentopic.cli.flags import NamespaceFlag, TransportFlag

if TYPE_CHECKING:
    from agentopic.core import AgentId
    from agentopic.envelope import Envelope
    from agentopic.settings import Settings

app = typer.Typer(add_completion=False)


@app.command()
def send(
    agent: Annotated[str, typer.Argument(metavar="TYPE[/KEY]", help="Whom to ask; the key is `default`.")],
    *,
    payload_type: Annotated[str, typer.Option("--type", metavar="NAME", help="Payload type, such as orders.Quote.v1.")],
    data: Annotated[
        str | None,
        typer.Option("--data", help="The payload; @FILE reads a file; without it stdin is read.", show_default=False),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option("--timeout", min=0.0, metavar="SECONDS", help="Deadline; that of the settings when not given."),
    ] = None,
    content_type: Annotated[
        str, typer.Option("--content-type", help="Media type of the payload.")
    ] = "application/json",
    envelope: Annotated[
        bool, typer.Option("--envelope", help="Print the whole reply as a structured CloudEvent.")
    ] = False,
    transport: TransportFlag = None,
    namespace: NamespaceFlag = None,
) -> None:
    """Send a request to an agent and print the data of its reply; a fault ends with exit code 1."""
    from agentopic.cli.events import EventForm, read_payload
    from agentopic.cli.session import prepare
    from agentopic.core import AgentId

    settings = prepare(transport=transport, namespace=namespace)
    recipient = AgentId.from_str(agent if "/" in agent else f"{agent}/default")
    form = EventForm(payload_type=payload_type, source=f"/{settings.namespace}/cli", content_type=content_type)
    request = form.envelope(read_payload(data))
    asyncio.run(_send(settings, recipient, request, timeout, whole=envelope))


async def _send(
    settings: Settings, recipient: AgentId, request: Envelope, timeout: float | None, *, whole: bool
) -> None:
    from agentopic.cli.asking import asking
    from agentopic.cli.output import emit_line
    from agentopic.envelope import json as event_json

    async with asking(settings, recipient) as ask:
        reply = await ask(request, settings.request_timeout_seconds if timeout is None else timeout)
    emit_line((event_json.dumps(reply) if whole else reply.data or b"").decode(errors="replace"))
