"""`agentopic publish`: put events on a topic as any outside publisher would."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from agentopic.cli.flags import NamespaceFlag, TransportFlag

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from agentopic.cli.events import EventForm
    from agentopic.envelope import Envelope
    from agentopic.ports.transport import OutgoingRecord
    from agentopic.settings import Settings

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
    from agentopic.cli.events import EventForm, read_input
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
    payloads = read_input(data, lines=lines, count=count)
    asyncio.run(_publish(settings, topic, key, _events(form, payloads)))


def _events(form: EventForm, payloads: Iterable[bytes]) -> Iterator[Envelope]:
    return (form.envelope(payload) for payload in payloads)


async def _publish(settings: Settings, topic: str, key: str | None, events: Iterator[Envelope]) -> None:
    from itertools import islice

    from agentopic.cli.session import connected, require_topics
    from agentopic.envelope.kafka_topics import topic_events

    name = topic_events(settings.namespace, topic)
    async with connected(settings) as mesh:
        await require_topics(mesh, [name])
        while batch := list(islice(events, _BATCH)):
            records = [_record(name, event, key) for event in batch]
            _print_sent(name, batch, await mesh.transport.send(records))


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
