"""The service under fault, with a lock: pages are printed under the fencing token of whoever holds the printer."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ledger_agent import HISTORY, Order, Receipt
from press import Press

from agentopic import (
    AgentService,
    MessageContext,
    RoutedAgent,
    TopicId,
    TypeSubscription,
    fencing_token,
    message_handler,
)
from agentopic.core import step

PRESS = Press(Path(os.environ.get("CHAOS_PRESS", "press.db")))


class Printer(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("prints one page at a time")
        self.turns = 0

    @message_handler
    async def on_page(self, message: Order, ctx: MessageContext) -> None:
        name, call = f"order-{message.number}", f"print-{message.number}"

        async def print_page() -> str:
            HISTORY.note("call", "invoke", call)
            token = fencing_token()
            if message.does == "stop" and _is_first(name):
                os.kill(os.getpid(), signal.SIGSTOP)
            PRESS.print_page(self.id.key, message.number, token)
            return name

        HISTORY.note("turn", "invoke", name, key=self.id.key)
        try:
            HISTORY.note("call", "unknown", call)
            printed = await step("print", print_page, given=message.number, repeatable=True)
            HISTORY.note("call", "ok", call)
            self.turns += 1
            receipt = Receipt(number=message.number, paid=printed, turns=self.turns)
            await self.publish_message(receipt, TopicId("receipts", self.id.key))
        finally:
            HISTORY.note("turn", "ok", name, key=self.id.key)

    async def save_state(self) -> dict[str, int]:
        return {"turns": self.turns}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        self.turns = state["turns"]


def _is_first(name: str) -> bool:
    """Whether nobody has stood still over this page before."""
    try:
        PRESS.path.with_name(f"{name}.stopped").touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


app = AgentService(
    "cashier",
    Printer,
    subscriptions=[TypeSubscription("orders", "cashier")],
    publishes={"receipts": Receipt},
)
