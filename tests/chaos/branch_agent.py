"""The service under fault, whose turns have branches: one sleeps and works on, one works and asks a person."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from typing import Any

from ledger_agent import CONCURRENCY, HISTORY, LEAST, MOST, Order, Receipt

from agentopic import AgentService, MessageContext, RoutedAgent, TopicId, TypeSubscription, message_handler
from agentopic.core import step

PARTS = 3
THINKING_SECONDS = 1.0


class Foreman(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("does several things at once")
        self.turns = 0

    @message_handler
    async def on_order(self, message: Order, ctx: MessageContext) -> None:
        name = f"order-{message.number}"
        HISTORY.note("turn", "invoke", name, key=self.id.key)
        try:
            questions = (_asks(message.number, part, ctx) for part in range(PARTS))
            await asyncio.gather(_works_on(message.number, ctx), *questions)
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
    """Wait, think, pay: while it thinks, nothing but the other branches' waits is open in the journal."""
    for part in range(PARTS):
        await ctx.sleep(0.1 + (number % 5) * 0.05)
        await asyncio.sleep(THINKING_SECONDS)
        await _pay(f"pay-{number}-{part}")


async def _asks(number: int, part: int, ctx: MessageContext) -> None:
    for round_number in range(part + 1):
        await _pay(f"quote-{number}-{part}-{round_number}")
        await asyncio.sleep(THINKING_SECONDS / 2)
    await ctx.ask(f"May part {part} of order {number} go out?")


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
