"""Closures and the processes they live with, for tests of process-lived agents."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from agentopic.adapters.clock import SystemClock
from agentopic.adapters.transport.memory import MemoryAdmin, MemoryTransport
from agentopic.core import (
    AgentId,
    ClosureAgent,
    ClosureContext,
    MessageContext,
    TypeSubscription,
    try_get_known_serializers_for_type,
)
from agentopic.engine.mesh import Mesh
from agentopic.engine.middleware import Middleware
from agentopic.engine.options import EngineOptions
from agentopic.engine.runtime import EngineRuntime

from .town import NS, Note, Town, topic, until

Closure = Callable[[ClosureContext, Note, MessageContext], Awaitable[Any]]


async def lives(runtime: EngineRuntime, name: str, closure: Closure, *topics: str) -> None:
    """Register a closure that listens to these topic types."""
    await ClosureAgent.register_closure(
        runtime, name, closure, subscriptions=lambda: [TypeSubscription(each, name) for each in topics]
    )


def hearing(heard: list[str]) -> Closure:
    """Return a closure that notes what it hears."""

    async def hear(_: ClosureContext, message: Note, __: MessageContext) -> None:
        heard.append(message.text)

    return hear


def numbered(heard: list[tuple[int, str]], number: int) -> Closure:
    """Return a closure that notes what it hears, and which one it is."""

    async def hear(_: ClosureContext, message: Note, __: MessageContext) -> None:
        heard.append((number, message.text))

    return hear


def client(town: Town, *, middleware: Sequence[Middleware] = (), **options: Any) -> EngineRuntime:
    """Return a process without a journal."""
    chosen: dict[str, Any] = {"namespace": NS, "partitions": 4, "drain_seconds": 2.0, **options}
    runtime = EngineRuntime(
        Mesh(transport=MemoryTransport(town.log), admin=MemoryAdmin(town.log), clock=SystemClock()),
        EngineOptions(**chosen),
        middleware=middleware,
    )
    runtime.add_message_serializer(try_get_known_serializers_for_type(Note))
    town.stops(runtime)
    return runtime


async def mesh_name(town: Town, owner: EngineRuntime, agent: AgentId) -> AgentId:
    """Return what a process-lived agent is called by others: as whoever hears it is told."""
    senders = list[AgentId | None]()

    async def listen(_: ClosureContext, message: Note, ctx: MessageContext) -> None:
        senders.append(ctx.sender)

    other = client(town)
    await lives(other, "curious", listen, "calling")
    await other.start()
    await owner.publish_message(Note(), topic("calling"), sender=agent)
    await until(lambda: len(senders) == 1, "the call was heard")
    (sender,) = senders
    assert sender is not None
    return sender
