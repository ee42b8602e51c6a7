"""Reading dead-letter topics: once for what is there, once more for the bytes of what is wanted."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from agentopic.cli.reading import Span, read_span
from agentopic.engine.letters import LetterBox, Place
from agentopic.envelope.kafka_topics import dead_letters, parse_topic

if TYPE_CHECKING:
    from agentopic.engine.mesh import Mesh
    from agentopic.ports.transport import Record
    from agentopic.settings import Settings

_ALL = Span(from_beginning=True, follow=False)


async def read_box(mesh: Mesh, settings: Settings, agent_type: str) -> LetterBox:
    """Return all letters of an agent type and what has become of them.

    Raises:
        MissingTopicError: no service of that type has ever been here.
    """
    box = LetterBox(agent_type, settings.max_event_bytes)
    async for record in read_span(mesh, [dead_letters(settings.namespace, agent_type)], _ALL):
        box.add(record)
    return box


async def read_places(mesh: Mesh, topic: str, places: Collection[Place]) -> AsyncGenerator[Record]:
    """Yield the records at these places of a topic, in order within a partition."""
    left = set(places)
    if not left:
        return
    async with aclosing(read_span(mesh, [topic], _ALL)) as records:
        async for record in records:
            place = record.partition, record.offset
            if place in left:
                left.discard(place)
                yield record
                if not left:
                    return


async def types_with_letters(mesh: Mesh, settings: Settings) -> Sequence[str]:
    """Return the agent types of the namespace that have a dead-letter topic."""
    parsed = (parse_topic(name) for name in await mesh.admin.topics())
    mine = (settings.namespace, "dead")
    return sorted(each.name for each in parsed if each is not None and (each.namespace, each.kind) == mine)
