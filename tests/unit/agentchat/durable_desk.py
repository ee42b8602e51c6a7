"""Runs a chat agent in durable turns, over several processes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from agentopic import AgentService, payload
from agentopic.agentchat.agents import BaseChatAgent
from agentopic.core import MessageContext, RoutedAgent, TopicId, TypeSubscription, message_handler
from agentopic.testing import MemoryMesh, expect


@payload("desk.Task.v1")
class Task(BaseModel):
    """What the agent is given."""

    text: str


@payload("desk.Said.v1")
class Said(BaseModel):
    """What it said, and how often its turn was begun."""

    messages: list[dict[str, Any]]


class Desk(RoutedAgent):
    """Gives a task to a new chat agent and publishes what it said."""

    def __init__(self, make: Callable[[], BaseChatAgent]) -> None:
        super().__init__("desk")
        self._make = make

    @message_handler
    async def on_task(self, message: Task, ctx: MessageContext) -> None:
        """Run the task."""
        result = await self._make().run(task=message.text, cancellation_token=ctx.cancellation_token)
        said = Said(messages=[dict(item.dump()) for item in result.messages])
        await self.publish_message(said, TopicId("said", self.id.key))


def desk_service(make: Callable[[], BaseChatAgent]) -> AgentService:
    """A service of such agents."""
    return AgentService(
        "desk",
        lambda: Desk(make),
        subscriptions=[TypeSubscription("task", "desk")],
        publishes={"said": Said},
        stateless=True,
    )


async def answered_after_a_restart(make: Callable[[], BaseChatAgent], answer: Any) -> tuple[Any, list[dict[str, Any]]]:
    """Give a task, stop the process while a question is open, answer it, start another: the question, what was said."""
    async with asyncio.timeout(20), MemoryMesh() as mesh:
        first = await mesh.run(desk_service(make))
        await mesh.publish(Task(text="t"), TopicId("task", "k"))
        question = await mesh.question("desk")
        await first.stop()
        await mesh.answer(question, answer)
        await mesh.run(desk_service(make))
        await mesh.idle()
        return question, expect(mesh.events("said")).of_type(Said).one(Said).messages
