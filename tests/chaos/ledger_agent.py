"""The service under fault: every order costs one paid call, noted in a ledger outside of the engine."""

from __future__ import annotations

import asyncio
import json
import os
import random
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from agentopic import AgentService, MessageContext, RoutedAgent, TopicId, TypeSubscription, message_handler, payload
from agentopic.core import step

LEDGER = Path(os.environ.get("CHAOS_LEDGER", "ledger.jsonl"))


@payload("chaos.Order.v1")
class Order(BaseModel):
    number: int


@payload("chaos.Receipt.v1")
class Receipt(BaseModel):
    number: int
    paid: str
    turns: int


def note(**fact: object) -> None:
    """Append one line, whole, whoever else writes."""
    line = json.dumps({**fact, "pid": os.getpid(), "at": time.time()}) + "\n"
    descriptor = os.open(LEDGER, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


class Cashier(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("takes orders, pays once for each")
        self.turns = 0

    @message_handler
    async def on_order(self, message: Order, ctx: MessageContext) -> None:
        async def pay() -> str:
            note(call="open", number=message.number)
            await asyncio.sleep(random.uniform(0.2, 0.5))
            note(call="closed", number=message.number)
            return f"paid-{message.number}"

        paid = await step("pay", pay, given=message.number, repeatable=True)
        self.turns += 1
        receipt = Receipt(number=message.number, paid=paid, turns=self.turns)
        await self.publish_message(receipt, TopicId("receipts", self.id.key))

    async def save_state(self) -> dict[str, int]:
        return {"turns": self.turns}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        self.turns = state["turns"]


app = AgentService(
    "cashier",
    Cashier,
    subscriptions=[TypeSubscription("orders", "cashier")],
    publishes={"receipts": Receipt},
    concurrency=8,
)
