"""A mesh in memory with scripted agents: what engine tests publish to, ask and read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, Self

from pydantic import BaseModel

from agentopic.adapters.clock import SystemClock
from agentopic.adapters.journal.memory import MemoryStore
from agentopic.adapters.transport.memory import MemoryAdmin, MemoryTransport
from agentopic.adapters.transport.memory_log import MemoryLog
from agentopic.core import MessageContext, RoutedAgent, TopicId, TypeSubscription, message_handler, payload
from agentopic.engine.mesh import Mesh
from agentopic.engine.options import EngineOptions, RetryPolicy
from agentopic.engine.runtime import EngineRuntime, Hosting
from agentopic.envelope import Envelope
from agentopic.envelope.kafka import decode_record
from agentopic.ports.admin import TopicSpec
from agentopic.ports.transport import Record, TopicPartition

from .faulty_journal import FaultyJournal, as_journal

NS = "town"
AT_ONCE = RetryPolicy(max_failures=3, initial_seconds=0.0)


@payload("town.Note.v1")
class Note(BaseModel):
    text: str = ""
    number: int = 0


Handler = Callable[["Resident", Note, MessageContext], Awaitable[Any]]


class Resident(RoutedAgent):
    """An agent whose handler is given by the test; it counts its committed turns as its state."""

    def __init__(self, handler: Handler) -> None:
        super().__init__("lives in a test")
        self.handler = handler
        self.turns = 0

    @message_handler
    async def on_note(self, message: Note, ctx: MessageContext) -> Any:
        self.turns += 1
        return await self.handler(self, message, ctx)

    async def save_state(self) -> dict[str, Any]:
        return {"turns": self.turns}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        self.turns = state["turns"]


async def until(condition: Callable[[], bool], what: str, seconds: float = 10.0) -> None:
    """Wait for a condition; say what did not come true."""
    try:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 - any condition of any object
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(f"not within {seconds} s: {what}") from None


class Town:
    """One log and one journal store that any number of runtimes share; leaving it stops them."""

    def __init__(self) -> None:
        self.log = MemoryLog()
        self.store = MemoryStore()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def runtime(
        self,
        *,
        journal: Any = None,
        transport: MemoryTransport | None = None,
        clock: Any = None,
        blobs: Any = None,
        rate_limits: Any = None,
        rate_limits_by_name: Any = None,
        intervention_handlers: Any = None,
        **options: Any,
    ) -> EngineRuntime:
        """Return one more process on the mesh, not started."""
        mesh = Mesh(
            transport=transport or MemoryTransport(self.log),
            admin=MemoryAdmin(self.log),
            clock=clock or SystemClock(),
            journal=as_journal(journal or FaultyJournal(self.store)),
            blobs=blobs,
            rate_limits=rate_limits,
        )
        chosen: dict[str, Any] = {"namespace": NS, "partitions": 4, "drain_seconds": 5.0, "retry": AT_ONCE, **options}
        if rate_limits_by_name is not None:
            chosen["rate_limits"] = rate_limits_by_name
        runtime = EngineRuntime(mesh, EngineOptions(**chosen), intervention_handlers=intervention_handlers)
        self._stack.push_async_callback(runtime.stop)
        return runtime

    def stops(self, runtime: EngineRuntime) -> None:
        """Have a runtime stopped with the town."""
        self._stack.push_async_callback(runtime.stop)

    async def settle(
        self, runtime: EngineRuntime, name: str, handler: Handler, *, topic: str | None = None, **hosting: Any
    ) -> None:
        """Register an agent type with this handler, listening to the topic type named like it."""
        if hosting:
            runtime.host_as(name, Hosting(state=hosting.pop("state", "stored"), **hosting))
        await Resident.register(runtime, name, lambda: Resident(handler))
        await runtime.add_subscription(TypeSubscription(topic or name, name))

    def create(self, *topics: str, partitions: int = 4) -> None:
        """Create Kafka topics by their names after the namespace."""
        self.log.create([TopicSpec(name=f"{NS}.{each}", partitions=partitions) for each in topics])

    def records(self, topic: str) -> Sequence[Record]:
        """Return what a topic (its name after the namespace) holds, partition by partition."""
        name = f"{NS}.{topic}"
        count = self.log.topics().get(name, 0)
        return [record for index in range(count) for record in self.log.partition(TopicPartition(name, index))]

    def events(self, topic: str) -> Sequence[Envelope]:
        """Return the events of a topic."""
        return [decode_record(each.headers, each.value) for each in self.records(topic)]

    def notes(self, topic: str) -> Sequence[Note]:
        """Return the notes of a topic."""
        return [Note.model_validate_json(each.data or b"") for each in self.events(topic)]

    def reasons(self, agent_type: str) -> Sequence[str]:
        """Return why the dead letters of an agent type died."""
        return [fact(each, "reason") for each in self.records(f"dead.{agent_type}")]


def fact(record: Record, name: str) -> str:
    """Return a fact of a dead letter."""
    return dict(record.headers)[f"agentopic.dead.{name}"].decode()


async def nothing(_: Resident, __: Note, ___: MessageContext) -> None:
    """Handle a note by doing nothing."""


def seeing(seen: list[Note]) -> Handler:
    """Return a handler that only notes what it was given."""

    async def see(_: Resident, message: Note, __: MessageContext) -> None:
        seen.append(message)

    return see


def topic(name: str, source: str = "k") -> TopicId:
    """Return a topic id."""
    return TopicId(name, source)
