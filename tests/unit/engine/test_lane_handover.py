from __future__ import annotations

import asyncio
from dataclasses import dataclass

from agentopic import AgentService, DurableRuntime, payload
from agentopic.core import MessageContext, RoutedAgent, TopicId, TypeSubscription, event

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
