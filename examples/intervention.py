"""An intervention handler that sees what agents publish and send, hides numbers of cards and stops spam.

python intervention.py
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, replace
from typing import Any

from agentopic import AgentService, DurableRuntime, payload
from agentopic.core import AgentId, DefaultInterventionHandler, DropMessage, MessageContext, RoutedAgent, rpc
from agentopic.errors import MessageDroppedError


@payload("mail.Letter.v1")
@dataclass
class Letter:
    text: str


class Censor(DefaultInterventionHandler):
    async def on_send(self, message: Any, *, message_context: MessageContext, recipient: AgentId) -> Any:
        if "lottery" in message.text:
            return DropMessage
        return replace(message, text=re.sub(r"\d{4}( \d{4}){3}", "****", message.text))

    async def on_response(self, message: Any, *, sender: AgentId, recipient: AgentId | None) -> Any:
        return replace(message, text=f"{message.text} (seen by the censor)")


class Clerk(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("answers letters")

    @rpc
    async def on_letter(self, message: Letter, ctx: MessageContext) -> Letter:
        return Letter(f"we have read: {message.text}")


async def main() -> None:
    runtime = DurableRuntime(intervention_handlers=[Censor()])
    await AgentService("clerk", Clerk, stateless=True).register(runtime)
    await runtime.start()
    for text in ("my card is 1234 5678 9012 3456", "you have won the lottery"):
        try:
            print((await runtime.send_message(Letter(text), AgentId("clerk", "desk"))).text)
        except MessageDroppedError:
            print("dropped")
    await runtime.stop_when_idle()


if __name__ == "__main__":
    asyncio.run(main())
