"""The service under fault: every order costs one paid call; what it does is noted outside of the engine."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from agentopic import AgentService, MessageContext, RoutedAgent, TopicId, TypeSubscription, message_handler, payload
from agentopic.core import step
from agentopic.core.models import ModelInfo, UserMessage
from agentopic.testing.fault_points import FaultPoints
from agentopic.testing.history import HistoryFile

HISTORY = HistoryFile(Path(os.environ.get("CHAOS_HISTORY", "history.jsonl")))
LEAST, MOST = (float(each) for each in os.environ.get("CHAOS_CALL_SECONDS", "0.2,0.5").split(","))
HANG = float(os.environ.get("CHAOS_HANG_SECONDS", "10"))
NAP = 2.0
CONCURRENCY = int(os.environ.get("CHAOS_CONCURRENCY", "8"))
MODEL = os.environ.get("CHAOS_MODEL")
points: list[FaultPoints] = []
"""Where this process is to die, if anywhere."""


@payload("chaos.Order.v1")
class Order(BaseModel):
    number: int
    does: str = ""
    """`kill`: its process dies of it; `fail`: the handler raises whatever is tried; `hang`: for HANG seconds; `sleep`:
    by a durable timer of NAP seconds, before it pays."""


@payload("chaos.Receipt.v1")
class Receipt(BaseModel):
    number: int
    paid: str
    turns: int


class Cashier(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("takes orders, pays once for each")
        self.turns = 0

    @message_handler
    async def on_order(self, message: Order, ctx: MessageContext) -> None:
        name = f"order-{message.number}"
        HISTORY.note("turn", "invoke", name, key=self.id.key)
        if message.does == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        try:
            await self._serve(message, ctx)
        finally:
            HISTORY.note("turn", "ok", name, key=self.id.key)

    async def _nap(self, ctx: MessageContext) -> None:
        """Sleep by a durable timer, and refuse to have slept less by a clock that nobody steps."""
        began = time.monotonic()
        await ctx.sleep(NAP)
        if (slept := time.monotonic() - began) < NAP - 0.1:
            raise ValueError(f"woken after {slept} s")

    async def _serve(self, message: Order, ctx: MessageContext) -> None:
        call = f"pay-{message.number}"

        async def pay() -> str:
            HISTORY.note("call", "invoke", call)
            await asyncio.sleep(HANG if message.does == "hang" else random.uniform(LEAST, MOST))
            for each in points:
                await each.reach("after call")
            return f"paid-{message.number}"

        if message.does == "fail":
            raise ValueError("never to be served")
        if message.does == "sleep":
            await self._nap(ctx)
        HISTORY.note("call", "unknown", call)
        if MODEL:
            paid = await _ask_model(MODEL, message.number)
        else:
            paid = await step("pay", pay, given=message.number, repeatable=True)
        HISTORY.note("call", "ok", call)
        self.turns += 1
        receipt = Receipt(number=message.number, paid=paid, turns=self.turns)
        await self.publish_message(receipt, TopicId("receipts", self.id.key))

    @message_handler
    async def on_question(self, message: Receipt, ctx: MessageContext) -> Receipt:
        """Answer a request: the price of an order, looked up for a while."""

        async def look_up() -> int:
            HISTORY.note("call", "invoke", f"price-{message.number}")
            await asyncio.sleep(random.uniform(LEAST, MOST))
            return message.number * 2

        price = await step("price", look_up, given=message.number, repeatable=True)
        HISTORY.note("call", "ok", f"price-{message.number}")
        return Receipt(number=message.number, paid="", turns=price)

    async def save_state(self) -> dict[str, int]:
        return {"turns": self.turns}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        self.turns = state["turns"]


async def _ask_model(base_url: str, number: int) -> str:
    from agentopic.ext.models.openai import OpenAIChatCompletionClient

    client = OpenAIChatCompletionClient(
        model="m",
        api_key="k",
        base_url=base_url,
        timeout=1.0,
        default_headers={"X-Process": str(os.getpid())},
        model_info=ModelInfo(
            vision=False, function_calling=False, json_output=False, family="unknown", structured_output=False
        ),
    )
    try:
        result = await client.create([UserMessage(content=f"pay for order {number}", source="cashier")])
        return str(result.content)
    finally:
        await client.close()


app = AgentService(
    "cashier",
    Cashier,
    subscriptions=[TypeSubscription("orders", "cashier"), TypeSubscription("refunds", "cashier")],
    publishes={"receipts": Receipt},
    concurrency=CONCURRENCY,
)
