from __future__ import annotations

import asyncio
from dataclasses import dataclass

from agentopic import AgentService, DurableRuntime, payload
from agentopic.adapters.journal.memory.tables import LaneEntry
from agentopic.core import AgentId, MessageContext, RoutedAgent, TopicId, TypeSubscription, event
from agentopic.core._turn import ask
from agentopic.errors import ValueRefusedError

from .faulty_journal import FaultyJournal
from .town import Note, Resident, Town, topic, until

EVENTS, KEYS = 1_000, 500
MESH = "memory://handover", "memory://handover"


@payload("handover.Counted.v1")
@dataclass
class Counted:
    number: int


async def test_a_delivery_that_is_stored_while_its_lane_is_ending_is_run() -> None:
    """A journal that answers without a pause gives the lane its next head before the lane's task knows it had none."""
    handled: set[int] = set()
    all_handled = asyncio.Event()

    class Counter(RoutedAgent):
        def __init__(self) -> None:
            super().__init__("counts")

        @event
        async def on_event(self, message: Counted, ctx: MessageContext) -> None:
            handled.add(message.number)
            if len(handled) == EVENTS:
                all_handled.set()
            await self.publish_message(message, TopicId("out", self.id.key))  # what is not yet sent keeps the lane

    service = AgentService(
        "counter",
        Counter,
        subscriptions=[TypeSubscription("n", "counter")],
        publishes={"out": Counted},
        stateless=True,
    )
    hosting, client = DurableRuntime(*MESH, start_from="earliest"), DurableRuntime(*MESH)
    await service.register(hosting)
    await client.catalog.ensure(hosting.topics_plan())

    async with client:
        for number in range(EVENTS):
            await client.publish_message(Counted(number), TopicId("n", f"customer-{number % KEYS}"))
        async with hosting, asyncio.timeout(20):
            await all_handled.wait()

    assert handled == set(range(EVENTS))


async def test_a_lane_whose_turn_is_refused_during_a_drain_is_handed_back(town: Town) -> None:
    """What a refused turn leaves is committed as a dead letter, and starts no further turn of this process."""
    journal = FaultyJournal(town.store)
    begun, gate = asyncio.Event(), asyncio.Event()

    async def handle(agent: Resident, message: Note, _ctx: MessageContext) -> None:
        if agent.id.key == "waiting":
            await ask("go on?")
        begun.set()
        await gate.wait()

    runtime = town.runtime(journal=journal)
    await town.settle(runtime, "clerk", handle)
    await runtime.start()
    await runtime.publish_message(Note(), topic("clerk", "waiting"))
    for number in (1, 2):
        await runtime.publish_message(Note(number=number), topic("clerk", "running"))
    await begun.wait()
    await until(lambda: len(lane_of(town, "running").deliveries) == 2, "both are stored")

    stopping = asyncio.create_task(runtime.stop())
    await until(lambda: lane_of(town, "waiting").owner is None, "the drain has begun")
    journal.break_next("commit", "before", ValueRefusedError("no such value"))
    gate.set()
    await stopping

    assert len(town.records("dead.clerk")) == 1
    assert [each.attempts for each in lane_of(town, "running").deliveries.values()] == [0]


async def test_a_refused_turn_waits_for_nobody_any_more(town: Town) -> None:
    journal = FaultyJournal(town.store)
    asked, gate = asyncio.Event(), asyncio.Event()
    left = list[asyncio.Task[object]]()

    async def ask_and_leave(agent: Resident, message: Note, _ctx: MessageContext) -> None:
        left.append(asyncio.create_task(agent.send_message(Note(), AgentId("callee", "k"))))
        await asked.wait()
        journal.break_next("commit", "before", ValueRefusedError("no such value"))

    async def answer(agent: Resident, message: Note, _ctx: MessageContext) -> Note:
        asked.set()
        await gate.wait()
        return message

    runtime = town.runtime(journal=journal)
    await town.settle(runtime, "clerk", ask_and_leave)
    await town.settle(runtime, "callee", answer)
    await runtime.start()
    await runtime.publish_message(Note(), topic("clerk"))
    await until(lambda: len(town.records("dead.clerk")) == 1, "the turn is refused")

    waits_for = [callee for edges in town.store.waits.values() for callee in edges]
    gate.set()
    await runtime.stop_when_idle()
    await asyncio.gather(*left, return_exceptions=True)

    assert waits_for == []


def lane_of(town: Town, key: str) -> LaneEntry:
    return next(lane for lane in town.store.lanes.values() if lane.key == key)
