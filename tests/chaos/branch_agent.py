"""The service under fault, whose turns have branches: one sleeps and works on, one works and asks a person."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from typing import Any

from ledger_agent import CONCURRENCY, HISTORY, LEAST, MOST, Order, Receipt

from agentopic import AgentService, MessageContext, RoutedAgent, TopicId, TypeSubscription, message_handler
from agentopic.core import step


class Foreman(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("does several things at once")
        self.turns = 0

    @message_handler
    async def on_order(self, message: Order, ctx: MessageContext) -> None:
        name = f"order-{message.number}"
        HISTORY.note("turn", "invoke", name, key=self.id.key)
        try:
            await asyncio.gather(_works_on(message.number, ctx), _asks(message.number, ctx))
            self.turns += 1
            receipt = Receipt(number=message.number, paid=f"paid-{message.number}", turns=self.turns)
            await self.publish_message(receipt, TopicId("receipts", self.id.key))
        finally:
            HISTORY.note("turn", "ok", name, key=self.id.key)

    async def save_state(self) -> dict[str, int]:
        return {"turns": self.turns}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        self.turns = state["turns"]


async def _works_on(number: int, ctx: MessageContext) -> None:
    for part in range(3):
        await ctx.sleep(0.1 + (number % 5) * 0.1)
        await _pay(f"pay-{number}-{part}")


async def _asks(number: int, ctx: MessageContext) -> None:
    await _pay(f"quote-{number}")
    await ctx.ask(f"May order {number} go out?")


async def _pay(call: str) -> None:
    async def pay() -> str:
        HISTORY.note("call", "invoke", call)
        await asyncio.sleep(random.uniform(LEAST, MOST))
        return call

    HISTORY.note("call", "unknown", call)
    await step(call, pay, repeatable=True)
    HISTORY.note("call", "ok", call)


app = AgentService(
    "cashier",
    Foreman,
    subscriptions=[TypeSubscription("orders", "cashier")],
    publishes={"receipts": Receipt},
    concurrency=CONCURRENCY,
)
