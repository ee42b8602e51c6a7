"""A service made from a plain function learns what its agents handle from the first one it makes."""

from __future__ import annotations

from dataclasses import dataclass

from agentopic import AgentService, MessageContext, RoutedAgent, TopicId, TypeSubscription, event, payload
from agentopic.testing import MemoryMesh


@payload("orders.PlainFactoryOrder.v1")
@dataclass(frozen=True)
class Order:
    """What comes in."""

    number: int


class Clerk(RoutedAgent):
    """Notes the orders it sees."""

    def __init__(self, seen: list[int]) -> None:
        super().__init__("notes orders")
        self._seen = seen

    @event
    async def on_order(self, message: Order, ctx: MessageContext) -> None:
        self._seen.append(message.number)


async def test_a_service_from_a_plain_function_reads_the_payloads_its_agents_handle() -> None:
    seen: list[int] = []
    clerk = AgentService(
        "clerk", lambda: Clerk(seen), subscriptions=[TypeSubscription("order", "clerk")], stateless=True
    )

    async with MemoryMesh() as mesh:
        await mesh.run(clerk)
        await mesh.publish(Order(7), TopicId("order", "a"))
        await mesh.idle()

        assert list(mesh.dead_letters("clerk")) == []

    assert seen == [7]
