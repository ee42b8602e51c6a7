"""An agent whose state is the sum of its events; another process finds it where the first one left it.

python event_sourced.py
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from agentopic import DurableRuntime, payload
from agentopic.core import AgentId, EventSourcedAgent, MessageContext, fold, message_handler


@payload("bank.Order.v1")
@dataclass
class Order:
    amount: int


@payload("bank.Moved.v1")
@dataclass
class Moved:
    amount: int


@dataclass
class Balance:
    total: int = 0
    moves: int = 0


class Account(EventSourcedAgent[Balance]):
    def __init__(self) -> None:
        super().__init__("keeps a balance", Balance())

    @message_handler
    async def on_order(self, message: Order, ctx: MessageContext) -> str:
        if self.state.total + message.amount < 0:
            return f"refused: only {self.state.total} left"
        self.record(Moved(message.amount))  # kept when the turn commits
        return f"{self.state.total} after {self.state.moves} moves"

    @fold
    def moved(self, event: Moved) -> None:
        self.state.total += event.amount
        self.state.moves += 1


async def order(amount: int) -> None:
    runtime = DurableRuntime()  # on AGENTOPIC_TRANSPORT; without it, on a SQLite file in this folder
    await Account.register(runtime, "account", Account)
    async with runtime:
        print(await runtime.send_message(Order(amount), AgentId("account", "ann")))


if __name__ == "__main__":
    for amount in (30, -50, -10):
        asyncio.run(order(amount))
