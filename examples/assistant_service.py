"""An assistant as a service: every customer has a conversation of their own, which another process goes on with.

python assistant_service.py                # asks as two customers, from two processes
agentopic run assistant_service:app        # the same as a service, until Ctrl-C
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agentopic import AgentService, DurableRuntime, payload
from agentopic.agentchat.agents import AssistantAgent
from agentopic.core import AgentId, MessageContext, RoutedAgent, rpc
from agentopic.ext.models.replay import ReplayChatCompletionClient


@payload("shop.Question.v1")
@dataclass
class Question:
    text: str


@payload("shop.Answer.v1")
@dataclass
class Answer:
    text: str
    remembered: int


class Clerk(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("answers customers")
        model = ReplayChatCompletionClient(["At your service.", "As I said."])  # stands for a real one
        self._assistant = AssistantAgent("clerk", model, system_message="You sell tea.")

    @rpc
    async def on_question(self, message: Question, ctx: MessageContext) -> Answer:
        result = await self._assistant.run(task=message.text, cancellation_token=ctx.cancellation_token)
        remembered = await self._assistant.model_context.get_messages()
        return Answer(result.messages[-1].to_text(), len(remembered))

    async def save_state(self) -> Mapping[str, Any]:
        return await self._assistant.save_state()

    async def load_state(self, state: Mapping[str, Any]) -> None:
        await self._assistant.load_state(state)


app = AgentService("clerk", Clerk)


async def ask(*customers: str) -> None:
    runtime = DurableRuntime()  # on AGENTOPIC_TRANSPORT; without it, on a SQLite file in this folder
    await app.register(runtime)
    await runtime.start()
    for customer in customers:
        print(customer, await runtime.send_message(Question("Hello?"), AgentId("clerk", customer)))
    await runtime.stop_when_idle()


if __name__ == "__main__":
    asyncio.run(ask("ann", "bob"))
    asyncio.run(ask("ann"))  # another runtime, as after a restart: Ann's conversation goes on
