"""Two services, one behind the other: an order is priced, the priced order gets the number of an invoice.

python pipeline.py                               # both in this process, until Ctrl-C; or each as a process of its own:
agentopic run pipeline:pricing
agentopic run pipeline:billing
agentopic publish orders --type shop.Order.v1 --subject ann --data '{"item": "tea", "count": 3}'
agentopic tail invoices --from-beginning
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from agentopic import AgentRuntime, AgentService, payload, serve, step
from agentopic.core import MessageContext, RoutedAgent, TopicId, TypeSubscription, event


@payload("shop.Order.v1")
@dataclass
class Order:
    item: str
    count: int


@payload("shop.Invoice.v1")
@dataclass
class Invoice:
    item: str
    total: int
    number: int = 0


async def ask_price(item: str) -> int:
    await asyncio.sleep(0.05)  # stands for a supplier who wants money for each answer
    return {"tea": 4, "cake": 7}[item]


class Pricing(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("asks what things cost")

    @event
    async def on_order(self, message: Order, ctx: MessageContext) -> None:
        price = await step("price", lambda: ask_price(message.item), given=message.item, repeatable=True)
        await self.publish_message(Invoice(message.item, message.count * price), TopicId("priced", self.id.key))


class Billing(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("numbers invoices")
        self.number = 0  # of this customer's last invoice: there is one agent per customer, and this is its state

    @event
    async def on_priced(self, message: Invoice, ctx: MessageContext) -> None:
        self.number += 1
        await self.publish_message(replace(message, number=self.number), TopicId("invoices", self.id.key))

    async def save_state(self) -> dict[str, int]:
        return {"number": self.number}

    async def load_state(self, state: Mapping[str, int]) -> None:
        self.number = state["number"]


orders, priced = TypeSubscription("orders", "pricing"), TypeSubscription("priced", "billing")
pricing = AgentService("pricing", Pricing, subscriptions=[orders], publishes={"priced": Invoice}, stateless=True)
billing = AgentService("billing", Billing, subscriptions=[priced], publishes={"invoices": Invoice})

if __name__ == "__main__":
    asyncio.run(serve(AgentRuntime(), [pricing, billing]))
