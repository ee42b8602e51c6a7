"""A script as a user has it, run by tests in a process of its own: closures, or one more replica of a service.

Arguments: transport, journal, namespace, role. Prints a line for everything that happens to it.
"""

from __future__ import annotations

import asyncio
import sys

from pydantic import BaseModel

from agentopic import DurableRuntime, MessageContext, RoutedAgent, TopicId, TypeSubscription, message_handler, payload
from agentopic.core import AgentId, ClosureAgent, ClosureContext, default_subscription


@payload("script.News.v1")
class News(BaseModel):
    text: str


@payload("script.Question.v1")
class Question(BaseModel):
    text: str


@payload("script.Answer.v1")
class Answer(BaseModel):
    text: str


@default_subscription
class Clerk(RoutedAgent):
    """A service: says what it has heard, and publishes it."""

    def __init__(self) -> None:
        super().__init__("a clerk")

    @message_handler
    async def on_question(self, message: Question, ctx: MessageContext) -> None:
        say(f"handled {message.text}")
        await self.publish_message(News(text=f"news of {message.text}"), TopicId("news", self.id.key))

    async def save_state(self) -> dict[str, int]:
        return {}

    async def load_state(self, state: object) -> None:
        pass


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def read(_: ClosureContext, message: News, ctx: MessageContext) -> None:
    say(f"heard {message.text}")


async def answer(_: ClosureContext, message: Question, ctx: MessageContext) -> Answer:
    say(f"asked {message.text}")
    if message.text == "for ever":
        await asyncio.Event().wait()
    return Answer(text=f"{message.text}, answered")


async def reader(runtime: DurableRuntime) -> None:
    """Listen to what the clerk publishes."""
    await ClosureAgent.register_closure(
        runtime, "reader", read, subscriptions=lambda: [TypeSubscription("news", "reader")]
    )


async def friend(runtime: DurableRuntime) -> None:
    """Answer questions; make itself known to the desk."""
    await ClosureAgent.register_closure(runtime, "friend", answer)
    await runtime.publish_message(News(text="here I am"), TopicId("desk", "d"), sender=AgentId("friend", "f"))


async def clerk(runtime: DurableRuntime) -> None:
    """Be one more replica of the service."""
    await Clerk.register(runtime, "clerk", Clerk)


async def main(transport: str, journal: str, namespace: str, role: str) -> None:
    runtime = DurableRuntime(transport, journal, namespace=namespace, partitions=2, lease_seconds=3.0)
    async with runtime:
        await {"reader": reader, "friend": friend, "clerk": clerk}[role](runtime)
        say("ready")
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
