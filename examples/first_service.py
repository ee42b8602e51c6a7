"""One agent as a service: it answers a request and turns an event into another one.

python first_service.py                       # register, ask, publish, stop
agentopic run first_service:app               # the same agent as a service, until Ctrl-C
agentopic tail checked --from-beginning       # what it has published
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from agentopic import AgentService, DurableRuntime, payload
from agentopic.core import AgentId, MessageContext, RoutedAgent, TopicId, TypeSubscription, event, rpc


@payload("shop.OrderPlaced.v1")
@dataclass
class OrderPlaced:
    order: str
    amount: float


@payload("shop.OrderChecked.v1")
@dataclass
class OrderChecked:
    order: str
    suspicious: bool


class Checker(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("checks orders")

    @event
    async def on_order(self, message: OrderPlaced, ctx: MessageContext) -> None:
        await self.publish_message(check(message), TopicId("checked", message.order))

    @rpc
    async def on_question(self, message: OrderPlaced, ctx: MessageContext) -> OrderChecked:
        return check(message)


def check(placed: OrderPlaced) -> OrderChecked:
    return OrderChecked(order=placed.order, suspicious=placed.amount > 10_000)


orders = TypeSubscription("orders", "checker")
app = AgentService("checker", Checker, subscriptions=[orders], publishes={"checked": OrderChecked}, stateless=True)


async def main() -> None:
    runtime = DurableRuntime()  # on AGENTOPIC_TRANSPORT; without it, on a SQLite file in this folder
    await app.register(runtime)
    await runtime.start()
    print(await runtime.send_message(OrderPlaced("6", 12.5), AgentId("checker", "6")))
    await runtime.publish_message(OrderPlaced("7", 20_000), TopicId("orders", "7"))
    await runtime.stop_when_idle()


if __name__ == "__main__":
    asyncio.run(main())
