"""`agentopic publish`: put events on a topic as any outside publisher would."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from agentopic.cli.flags import NamespaceFlag, TransportFlag

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

    from agentopic.cli.events import EventForm
    from agentopic.envelope import Envelope
    from agentopic.ports.transport import OutgoingRecord
    from agentopic.settings import Settings

    PublishEvents = Callable[[Sequence[Envelope]], Awaitable[None]]
    Publishing = AbstractAsyncContextManager[PublishEvents]

app = typer.Typer(add_completion=False)

# Enough for the broker to work in batches, few enough that a result is printed while a long input goes on.
_BATCH = 200


@app.command()
def publish(
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="Topic type, such as `task`.")],
    *,
    payload_type: Annotated[
        str, typer.Option("--type", metavar="NAME", help="Payload type, such as orders.OrderPlaced.v1.")
    ],
    data: Annotated[
        str | None,
        typer.Option("--data", help="The payload; @FILE reads a file; without it stdin is read.", show_default=False),
    ] = None,
    lines: Annotated[bool, typer.Option("--jsonl", help="Every line of the input is one event's payload.")] = False,
    count: Annotated[
        int | None, typer.Option("--count", min=1, help="At most so many lines; implies --jsonl.", show_default=False)
    ] = None,
    subject: Annotated[
        str | None, typer.Option(help="Conversation, run or entity: the topic source.", show_default=False)
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(help="Record key; the subject, else the id, when not given.", show_default=False),
    ] = None,
    source: Annotated[str | None, typer.Option(help="CloudEvents source.", show_default=False)] = None,
    event_id: Annotated[
        str | None, typer.Option("--id", help="CloudEvents id; a new one when not given.", show_default=False)
    ] = None,
    content_type: Annotated[
        str, typer.Option("--content-type", help="Media type of the payload.")
    ] = "application/json",
    transport: TransportFlag = None,
    namespace: NamespaceFlag = None,
) -> None:
    """Publish one event, or one per line, and print where each lies as JSON."""
    from agentopic.cli.events import EventForm, read_payload
    from agentopic.cli.session import prepare
    from agentopic.errors import ConfigError

    if event_id is not None and lines:
        raise ConfigError("--id names one event and cannot go with --jsonl: leave it out")
    lines = lines or count is not None
    settings = prepare(transport=transport, namespace=namespace)
    form = EventForm(
        payload_type=payload_type,
        source=source or f"/{settings.namespace}/cli",
        subject=subject,
        event_id=event_id,
        content_type=content_type,
    )
    if lines:
        asyncio.run(_publish_lines(_publishing(settings, topic, key), form, data, count))
    else:
        asyncio.run(_publish_one(_publishing(settings, topic, key), form.envelope(read_payload(data))))


async def _publish_one(publishing: Publishing, event: Envelope) -> None:
    async with publishing as publish_events:
        await publish_events([event])


async def _publish_lines(publishing: Publishing, form: EventForm, data: str | None, count: int | None) -> None:
    from agentopic.cli.events import payload_lines
    from agentopic.cli.stdin import line_batches

    left = count
    async with publishing as publish_events, payload_lines(data) as lines:
        async for batch in line_batches(lines, _BATCH):
            payloads = [stripped for line in batch if (stripped := line.strip())][:left]
            await publish_events([form.envelope(payload) for payload in payloads])
            left = None if left is None else left - len(payloads)
            if left == 0:
                return


@asynccontextmanager
async def _publishing(settings: Settings, topic: str, key: str | None) -> AsyncGenerator[PublishEvents]:
    from agentopic.cli.session import connected, require_topics
    from agentopic.envelope.kafka_topics import topic_events

    name = topic_events(settings.namespace, topic)
    async with connected(settings) as mesh:
        await require_topics(mesh, [name])

        async def publish_events(events: Sequence[Envelope]) -> None:
            _print_sent(name, events, await mesh.transport.send([_record(name, event, key) for event in events]))

        yield publish_events


def _record(name: str, event: Envelope, key: str | None) -> OutgoingRecord:
    from agentopic.envelope import kafka
    from agentopic.ports.transport import OutgoingRecord

    message = kafka.encode(event, key=(key or event.subject or event.id).encode())
    return OutgoingRecord(topic=name, key=message.key, value=message.value, headers=message.headers)


def _print_sent(name: str, events: Sequence[Envelope], results: Sequence[object]) -> None:
    from agentopic.cli.output import compact, emit_line
    from agentopic.errors import TransportError
    from agentopic.ports.transport import Sent

    refused: TransportError | None = None
    for event, result in zip(events, results, strict=True):
        if isinstance(result, Sent):
            place = {"partition": result.partition, "offset": result.offset}
            emit_line(compact({"id": event.id, "type": event.type, "topic": name, **place}))
        elif isinstance(result, TransportError):
            refused = refused or result
    if refused is not None:
        raise refused
