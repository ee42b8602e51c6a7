"""Intervention handlers of a DurableRuntime: where they run, what they may wait for, and what a drop settles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agentopic import AgentService, DurableRuntime
from agentopic.agentchat.messages import TextMessage
from agentopic.core import (
    AgentId,
    DefaultInterventionHandler,
    DropMessage,
    FunctionCall,
    MessageContext,
    RoutedAgent,
    TopicId,
    TypeSubscription,
    ask,
    message_handler,
)
from agentopic.core._turn import current_turn
from agentopic.core.models import UserMessage
from agentopic.core.tool_agent import ToolAgent, ToolException, tool_agent_caller_loop
from agentopic.engine.control_client import OpenQuestion
from agentopic.engine.turn import Turn

from .shapes import Outside, Said, Task, until

CHARGE = [("c1", "charge", '{"item": "lamp"}')]


class Approval(DefaultInterventionHandler):
    """Asks a person before a tool is called, as AutoGen programs do."""

    async def on_send(self, message: Any, *, message_context: MessageContext, recipient: AgentId) -> Any:
        if isinstance(message, FunctionCall) and await ask(f"Call {message.name}?") != "yes":
            raise ToolException(content="a person said no", call_id=message.id, name=message.name)
        return message


class Caller(RoutedAgent):
    """Has a model call tools that live in another agent."""

    def __init__(self, outside: Outside, heard: list[str]) -> None:
        super().__init__("calls")
        self._outside, self._heard = outside, heard

    @message_handler
    async def on_task(self, message: Task, ctx: MessageContext) -> None:
        tool = self._outside.tool("charge")
        messages = await tool_agent_caller_loop(
            self,
            AgentId("tools", self.id.key),
            self._outside.model("clerk", CHARGE, "that is it"),
            [UserMessage(content=message.text, source="user")],
            [tool],
            ctx.cancellation_token,
        )
        self._heard.append(str(messages[1].content))


async def life(url: str, outside: Outside, heard: list[str]) -> DurableRuntime:
    runtime = DurableRuntime(url, url, namespace="shop", intervention_handlers=[Approval()], partitions=2)
    tasks = [TypeSubscription("task", "caller")]
    await AgentService("caller", lambda: Caller(outside, heard), subscriptions=tasks, stateless=True).register(runtime)
    tools = AgentService("tools", lambda: ToolAgent("tools", [outside.tool("charge")]), stateless=True)
    await tools.register(runtime)
    await runtime.start()
    return runtime


async def asked(runtime: DurableRuntime) -> OpenQuestion:
    found: list[OpenQuestion] = []
    while not found:
        found = list(await runtime.control.questions(["caller"]))
    return found[0]


@pytest.mark.parametrize(("answer", "charged"), [("yes", 1), ("no", 0)])
async def test_a_handler_may_ask_a_person_in_the_senders_turn_and_wait_through_a_restart(
    tmp_path: Path, answer: str, charged: int
) -> None:
    outside, heard, url = Outside(), list[str](), f"sqlite:///{tmp_path}/mesh.db"
    first = await life(url, outside, heard)
    await first.publish_message(Task(), TopicId("task", "ann"))
    question = await asked(first)
    await first.stop()

    second = await life(url, outside, heard)
    await second.control.answer(question.id, question.agent, answer)
    await until(lambda: bool(heard), "the turn ends")
    await second.stop_when_idle()

    assert question.note["text"] == "Call charge?"
    assert outside.done["charge"] == charged
    assert outside.done["clerk"] == 2
    assert ("charge lamp" in heard[0], "a person said no" in heard[0]) == (bool(charged), not charged)


class Journal(DefaultInterventionHandler):
    """Notes in whose turn it is shown what, and drops what the text asks for."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def _shown(self, kind: str, message: Any) -> Any:
        turn = current_turn.get()
        self.seen.append((kind, turn.delivery.agent.type if isinstance(turn, Turn) else "outside"))
        return DropMessage if getattr(message, "text", "") == f"drop {kind}" else message

    async def on_publish(self, message: Any, *, message_context: MessageContext) -> Any:
        return self._shown("publish", message)

    async def on_send(self, message: Any, *, message_context: MessageContext, recipient: AgentId) -> Any:
        return self._shown("send", message)

    async def on_response(self, message: Any, *, sender: AgentId, recipient: AgentId | None) -> Any:
        return self._shown("response", message)


class Front(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("asks and publishes")

    @message_handler
    async def on_task(self, message: Task, ctx: MessageContext) -> None:
        await self.send_message(Task(text="hello"), AgentId("back", self.id.key))
        await self.publish_message(Task(text="drop publish"), TopicId("out", self.id.key))
        await self.publish_message(Task(text="kept"), TopicId("out", self.id.key))


class Back(RoutedAgent):
    def __init__(self, got: list[str]) -> None:
        super().__init__("answers")
        self._got = got

    @message_handler
    async def on_task(self, message: Task, ctx: MessageContext) -> Said:
        self._got.append(message.text)
        return Said(messages=[dict(TextMessage(content=message.text, source="back").dump())])


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_each_is_shown_in_the_turn_of_who_sent_or_asked_and_a_drop_is_settled(tmp_path: Path, kind: str) -> None:
    journal, got = Journal(), list[str]()
    url = "memory://interventions" if kind == "memory" else f"sqlite:///{tmp_path}/mesh.db"
    runtime = DurableRuntime(url, url, namespace="shop", intervention_handlers=[journal], partitions=2)
    for name, make, topic in (("front", Front, "task"), ("back", lambda: Back(got), "out")):
        service = AgentService(name, make, subscriptions=[TypeSubscription(topic, name)], stateless=True)
        await service.register(runtime)
    await runtime.start()

    await runtime.publish_message(Task(text="drop publish"), TopicId("task", "ann"))
    await runtime.publish_message(Task(), TopicId("task", "ann"))
    await runtime.stop_when_idle()

    outside, front = ("publish", "outside"), [("send", "front"), ("response", "front"), *[("publish", "front")] * 2]
    assert journal.seen == [outside, outside, *front]
    assert got == ["hello", "kept"]
