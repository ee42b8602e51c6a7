"""A running service that is sent nonsense by all ways, and has to handle the one good event behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from agentopic.adapters.clock import SystemClock
from agentopic.adapters.journal.memory import MemoryJournal, MemoryStore
from agentopic.adapters.transport.memory import MemoryAdmin, MemoryTransport
from agentopic.adapters.transport.memory_log import MemoryLog
from agentopic.core import AgentId, MessageContext, RoutedAgent, TopicId, TypeSubscription, message_handler, payload
from agentopic.engine.mesh import Mesh
from agentopic.engine.options import EngineOptions, RetryPolicy
from agentopic.engine.runtime import EngineRuntime, Hosting
from agentopic.errors import AgentopicError
from agentopic.ports.transport import OutgoingRecord

NS = "town"
TOPICS = {
    "task": f"{NS}.topic.task",
    "request": f"{NS}.agent.clerk",
    "control": f"{NS}.control.clerk",
    "replies": f"{NS}.replies",
}
SECONDS = 20.0

Thrown = Sequence[tuple[str, Any, bytes | None, bytes | None]]


@payload("fuzz.Note.v1")
class Note(BaseModel):
    number: int


class Clerk(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("handles notes")

    @message_handler
    async def on_note(self, message: Note, ctx: MessageContext) -> Note:
        return message


def handled_after(thrown: Thrown) -> bool:
    """Whether some of the nonsense was accepted by the log; raises when the service does not answer behind it."""
    return asyncio.run(_play(thrown))


async def _play(thrown: Thrown) -> bool:
    log = MemoryLog()
    mesh = Mesh(
        transport=MemoryTransport(log),
        admin=MemoryAdmin(log),
        clock=SystemClock(),
        journal=MemoryJournal(MemoryStore()),
    )
    options = EngineOptions(namespace=NS, partitions=1, retry=RetryPolicy(max_failures=1, initial_seconds=0.0))
    runtime = EngineRuntime(mesh, options)
    runtime.host_as("clerk", Hosting(state="none"))
    await Clerk.register(runtime, "clerk", Clerk)
    await runtime.add_subscription(TypeSubscription("task", "clerk"))
    async with asyncio.timeout(SECONDS), runtime:
        records = [
            OutgoingRecord(topic=TOPICS[way], key=key, value=value, headers=headers)
            for way, headers, value, key in thrown
        ]
        sent = await MemoryTransport(log).send(records)
        await runtime.publish_message(Note(number=1), TopicId("task", "good"))
        answered = await runtime.send_message(Note(number=7), AgentId("clerk", "good"))
        assert answered == Note(number=7)
        await runtime.idle()
    return not all(isinstance(each, AgentopicError) for each in sent)
