"""A tool call waits for a person; the process that asked stops meanwhile, and another one makes the call.

python approval.py
agentopic inbox list refunds       # what waits for somebody, while it does
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from agentopic import AgentService, DurableRuntime, payload
from agentopic.agentchat.agents import AssistantAgent
from agentopic.agentchat.approval import ApprovalPolicy, ApprovalRule
from agentopic.core import FunctionCall, MessageContext, RoutedAgent, TopicId, TypeSubscription, event
from agentopic.core.models import CreateResult, ModelInfo, RequestUsage
from agentopic.ext.models.replay import ReplayChatCompletionClient

ABLE = ModelInfo(vision=False, function_calling=True, json_output=True, family="unknown", structured_output=True)
POLICY = ApprovalPolicy(rules=[ApprovalRule(decision="ask", tool="refund", reason="it is money")], default="deny")
CALL = FunctionCall(id="1", name="refund", arguments='{"order": "o-17", "cents": 2000}')
WISH = CreateResult(finish_reason="function_calls", content=[CALL], usage=RequestUsage(9, 9), cached=False)


@payload("shop.Complaint.v1")
@dataclass
class Complaint:
    text: str


def refund(order: str, cents: int) -> str:
    """Pays money back."""
    print(f"refund: {cents} cents for {order}")
    return f"{cents} cents paid back for {order}"


class Refunds(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("answers complaints")

    @event
    async def on_complaint(self, message: Complaint, ctx: MessageContext) -> None:
        model = ReplayChatCompletionClient([WISH], ABLE)  # stands for a real one
        result = await AssistantAgent("desk", model, tools=[refund], tool_approval=POLICY).run(task=message.text)
        print(result.messages[-1].to_text())


complaints = TypeSubscription("complaints", "refunds")
app = AgentService("refunds", Refunds, subscriptions=[complaints], stateless=True)


async def work(*, answer: str | None) -> None:
    runtime = DurableRuntime()  # on AGENTOPIC_TRANSPORT; without it, on a SQLite file in this folder
    await app.register(runtime)
    await runtime.start()
    if answer is None:
        await runtime.publish_message(Complaint("It is broken."), TopicId("complaints", "ann"))
    while not (questions := await runtime.control.questions(["refunds"])):  # noqa: ASYNC110 - no event tells
        await asyncio.sleep(0.05)
    if answer is None:
        print(f"asked: {questions[0].note['text']}")
        await runtime.stop()  # the question stays
    else:
        await runtime.control.answer(questions[0].id, questions[0].agent, answer)
        await runtime.stop_when_idle()


if __name__ == "__main__":
    asyncio.run(work(answer=None))
    asyncio.run(work(answer="allow"))
