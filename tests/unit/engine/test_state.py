"""Agents that keep state on a durable mesh: events, snapshots, releases old and new, and the limits of memory."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from agentopic.core import (
    EventSourcedAgent,
    MessageContext,
    RoutedAgent,
    TypeSubscription,
    fold,
    message_handler,
    payload,
)
from agentopic.engine import dispatch
from agentopic.engine.activation import keeps_state
from agentopic.engine.delivery import lane_id
from agentopic.engine.runtime import EngineRuntime, Hosting
from agentopic.errors import TurnClosedError

from .town import NS, Note, Resident, Town, nothing, topic, until

LANE = lane_id(f"{NS}.clerk", "k")


@payload("town.Noted.v1")
class Noted(BaseModel):
    number: int


@payload("town.Noted.v2")
class NotedWithText(BaseModel):
    number: int
    text: str


class Notes(BaseModel):
    numbers: list[int] = []


class Folding(EventSourcedAgent[Notes]):
    """Folds noted numbers."""

    snapshot_every = 3

    def __init__(self) -> None:
        super().__init__("notes", Notes())

    @fold
    def noted(self, event: Noted) -> None:
        self.state.numbers.append(event.number)


class Scribe(Folding):
    """Notes numbers as events; fails twice on the number 13 after it has recorded it."""

    seen: ClassVar[list[list[int]]]

    @message_handler
    async def on_note(self, message: Note, ctx: MessageContext) -> None:
        self.record(Noted(number=message.number))
        self.seen.append(list(self.state.numbers))
        if message.number == 13 and len(self.seen) < 3:
            raise RuntimeError("unlucky")


def scribe() -> type[Scribe]:
    """A class of its own, with what its instances have seen."""

    class Fresh(Scribe):
        seen: ClassVar[list[list[int]]] = []

    return Fresh


async def hosted(town: Town, agent: type[RoutedAgent], **options: Any) -> EngineRuntime:
    runtime = town.runtime(**options)
    runtime.host_as("clerk", Hosting(state="stored"))
    await agent.register(runtime, "clerk", agent)  # pyright: ignore[reportArgumentType]
    await runtime.add_subscription(TypeSubscription("clerk", "clerk"))
    await runtime.start()
    return runtime


async def publish(runtime: EngineRuntime, *numbers: int) -> None:
    for number in numbers:
        await runtime.publish_message(Note(number=number), topic("clerk"))


async def test_an_event_sourced_agent_goes_on_where_another_process_left_it(town: Town):
    agent = scribe()

    for number in range(5):
        runtime = await hosted(town, agent)
        await publish(runtime, number)
        await runtime.stop_when_idle()

    assert agent.seen == [[0], [0, 1], [0, 1, 2], [0, 1, 2, 3], [0, 1, 2, 3, 4]]


async def test_events_of_a_failed_attempt_are_neither_stored_nor_remembered(town: Town):
    agent = scribe()
    runtime = await hosted(town, agent)

    await publish(runtime, 1, 13)
    await runtime.stop_when_idle()

    assert agent.seen == [[1], [1, 13], [1, 13]]
    (stored,) = [each for lane, each in town.store.agents.items() if lane == LANE]
    assert stored.version == 2


async def test_an_event_recorded_after_its_turn_is_refused(town: Town):
    failures = list[BaseException]()
    late = list[asyncio.Task[None]]()

    class Careless(Folding):
        @message_handler
        async def on_note(self, message: Note, ctx: MessageContext) -> None:
            late.append(asyncio.create_task(self.too_late()))

        async def too_late(self) -> None:
            await finished.wait()
            try:
                self.record(Noted(number=1))
            except TurnClosedError as exc:
                failures.append(exc)

    finished = asyncio.Event()
    runtime = await hosted(town, Careless)
    await publish(runtime, 1)
    await runtime.stop_when_idle()
    finished.set()
    await asyncio.gather(*late)

    assert len(failures) == 1


async def test_a_delivery_for_a_state_of_newer_code_waits_for_that_code(town: Town, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dispatch, "UNREADABLE_WAIT_SECONDS", 0.01)
    agent = scribe()

    class Newer(Folding):
        @message_handler
        async def on_note(self, message: Note, ctx: MessageContext) -> None:
            self.record(NotedWithText(number=message.number, text="new"))
            agent.seen.append(list(self.state.numbers))

        @fold
        def noted_with_text(self, event: NotedWithText) -> None:
            self.state.numbers.append(event.number)

    newer = await hosted(town, Newer)
    await publish(newer, 1)
    await newer.stop_when_idle()

    older = await hosted(town, agent)
    await publish(older, 2)
    await until(
        lambda: any(each.attempts > 4 for each in town.store.unfinished.values()), "the delivery is tried again"
    )
    await older.stop()
    newer = await hosted(town, Newer)
    await newer.stop_when_idle()

    assert agent.seen == [[1], [1, 2]]
    assert town.records("dead.clerk") == []


def test_event_sourced_agents_keep_their_state():
    assert keeps_state(Scribe)


# ── limits ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_no_more_turns_run_at_once_than_the_limit_says(town: Town):
    running, most, finished = 0, 0, 0

    async def work(agent: Resident, message: Note, ctx: MessageContext) -> None:
        nonlocal running, most, finished
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.002)
        running -= 1
        finished += 1

    runtime = town.runtime(max_concurrent_agents=7)
    await town.settle(runtime, "clerk", work)
    await runtime.start()

    for number in range(100):
        await runtime.publish_message(Note(number=number), topic("clerk", f"k{number}"))
    await runtime.stop_when_idle()

    assert (most, finished) == (7, 100)


class Heavy(Resident):
    """Takes 1 MiB for as long as it is in memory."""

    loads = farewells = 0

    def __init__(self) -> None:
        super().__init__(nothing)
        self.ballast = bytearray(1024 * 1024)

    async def load_state(self, state: Mapping[str, Any]) -> None:
        type(self).loads += 1
        await super().load_state(state)

    async def close(self) -> None:
        type(self).farewells += 1


async def test_above_the_memory_limit_idle_agents_leave_and_come_back_with_their_state(
    town: Town, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("agentopic.engine.put_away.LOOK_SECONDS", 0.01)
    runtime = await hosted(town, Heavy, memory_limit_bytes=1)  # any process is above it
    for number in range(20):
        await runtime.publish_message(Note(), topic("clerk", f"k{number}"))
    await until(lambda: Heavy.farewells == 20, "all idle agents have left memory")

    await runtime.publish_message(Note(), topic("clerk", "k3"))
    await runtime.stop_when_idle()

    assert Heavy.loads == 1
    assert town.store.agents[lane_id(f"{NS}.clerk", "k3")].snapshot == b'{"turns":2}'
