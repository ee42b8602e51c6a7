"""The planner: breaks a question into parts that can be answered one by one."""

from __future__ import annotations

from pydantic import BaseModel, Field

from agentopic import AgentService
from agentopic.core import MessageContext, RoutedAgent, TopicId, TypeSubscription, message_handler
from agentopic.core.models import ChatCompletionClient, SystemMessage, UserMessage
from agentopic.demo.dataset import DESCRIPTION
from agentopic.demo.measures import MEANINGS
from agentopic.demo.model import model_client
from agentopic.demo.payloads import Part, PartPlan, Task
from agentopic.demo.structured import ask

_MEASURES = "\n".join(f"- {name}: {each.words}; {each.definition}" for name, each in MEANINGS.items())
INSTRUCTIONS = (
    "You break questions about daily weather in Seattle into parts. Each part is one period with all measures that "
    "the question asks about it. Use as few parts as the question has periods, in the question's order. A season "
    "is three whole months: spring begins in March, summer in June, autumn in September, winter in December.\n"
    f"{DESCRIPTION}\nThe measures:\n{_MEASURES}"
)


class Plan(BaseModel):
    """What the model answers."""

    parts: list[PartPlan] = Field(description="the parts, in the order of the question")


class Planner(RoutedAgent):
    """Takes a task, publishes its parts."""

    def __init__(self, model: ChatCompletionClient | None = None) -> None:
        super().__init__("breaks questions into parts")
        self._model = model or model_client()

    @message_handler
    async def on_task(self, message: Task, ctx: MessageContext) -> None:
        """Ask the model for a plan and publish one event per part."""
        prompt = [
            SystemMessage(content=INSTRUCTIONS),
            UserMessage(content=f"Task {message.task}: {message.question}", source="user"),
        ]
        plan = await ask(self._model, prompt, Plan, _fault)
        for number, each in enumerate(plan.parts, start=1):
            part = Part(task=message.task, question=message.question, number=number, parts=len(plan.parts), plan=each)
            await self.publish_message(part, TopicId("part", f"{message.task}.{number}"))


def _fault(plan: Plan) -> str:
    if not plan.parts:
        return "The plan has no part."
    wrong = [part.label for part in plan.parts if part.end < part.start or not part.measures]
    return f"These parts have no days or no measures: {', '.join(wrong)}" if wrong else ""


app = AgentService(
    "planner",
    Planner,
    subscriptions=[TypeSubscription("task", "planner")],
    publishes={"part": Part},
    stateless=True,
    concurrency=8,
)
