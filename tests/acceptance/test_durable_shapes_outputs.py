"""What is seen of a turn from outside, and when: publishes, faults, questions, previews."""

from __future__ import annotations

from typing import Any

from agentopic import AgentService
from agentopic.agentchat.teams import RoundRobinGroupChat
from agentopic.agentchat.tools import AgentTool
from agentopic.core import AgentId, MessageContext, RoutedAgent, TopicId, TypeSubscription, message_handler
from agentopic.errors import Reject, RequestError
from agentopic.testing import Aftermath, MemoryMesh, crash_everywhere, expect

from .shapes import TASK, Messages, Outside, Said, Task, data, desk, landed, until

CHARGE = [("c1", "charge", '{"item": "lamp"}')]


def word(text: str) -> Said:
    return Said(messages=[{"content": text}])


class Cashier(RoutedAgent):
    """Has its assistant charge, says so, and finds out that it should not have been asked."""

    def __init__(self, outside: Outside) -> None:
        super().__init__("charges")
        self._outside = outside

    @message_handler
    async def on_task(self, message: Task, ctx: MessageContext) -> Said:
        tools = [self._outside.tool("charge", effect="idempotent")]
        result = await self._outside.agent("clerk", CHARGE, tools=tools).run(task=message.text)
        await self.publish_message(word(result.messages[-1].to_text()), TopicId("half", self.id.key))
        raise Reject("the order was withdrawn")

    async def on_fault(self, error: BaseException) -> None:
        await self.publish_message(word(f"{type(error).__name__}: {error}"), TopicId("faults", self.id.key))


class Front(RoutedAgent):
    """Asks the cashier and tells what it hears."""

    def __init__(self) -> None:
        super().__init__("asks")

    @message_handler
    async def on_task(self, message: Task, ctx: MessageContext) -> None:
        try:
            heard = str(await self.send_message(message, AgentId("cashier", self.id.key)))
        except RequestError as error:
            heard = f"{type(error).__name__}: {error} {isinstance(error, Reject)}"
        await self.publish_message(word(heard), TopicId("said", self.id.key))


def shop(outside: Outside) -> list[AgentService]:
    front = AgentService(
        "front", Front, subscriptions=[TypeSubscription("task", "front")], publishes={"said": Said}, stateless=True
    )
    publishes = {"half": Said, "faults": Said}
    return [front, AgentService("cashier", lambda: Cashier(outside), publishes=publishes, stateless=True)]


def test_a_turn_that_publishes_and_raises_tells_its_caller_by_on_fault_and_nothing_else() -> None:
    outside = Outside()

    def check(after: Aftermath) -> None:
        expect(after.events("half")).none()
        fault = expect(after.events("faults")).exactly(1).one(Said)
        said = expect(after.events("said")).exactly(1).one(Said)
        assert fault.last == "Reject: the order was withdrawn"
        assert said.last == "Reject: the order was withdrawn True"
        assert [each.reason for each in after.dead_letters("cashier")] == ["Reject"]
        assert outside.done["charge"] <= 1 + after.open_calls["charge"]

    crash_everywhere(shop(outside), TASK, check, reset=outside.reset, dead_letters=True)


class Asker(RoutedAgent):
    """Publishes, asks a person, publishes again."""

    def __init__(self) -> None:
        super().__init__("asks")

    @message_handler
    async def on_task(self, message: Task, ctx: MessageContext) -> None:
        topic = TopicId("said", self.id.key)
        await self.publish_message(word("collected"), topic)
        await self.publish_message(word("at once"), topic, now=True)
        answer = await ctx.ask("Go on?")
        await self.publish_message(word(str(answer)), topic)


def asker() -> AgentService:
    subscriptions = [TypeSubscription("task", "asker")]
    return AgentService("asker", Asker, subscriptions=subscriptions, publishes={"said": Said}, stateless=True)


def texts(events: Any) -> list[str]:
    return [data(each)["messages"][-1]["content"] for each in events]


async def test_a_question_is_seen_while_its_turn_waits_and_what_was_published_before_it_is_not() -> None:
    async with MemoryMesh() as mesh:
        await mesh.run(asker())
        await mesh.publish(*TASK[0])
        question = await mesh.question("asker")
        await until(lambda: bool(landed(mesh, "runs")), "the question is told")
        await until(lambda: bool(mesh.events("said")), "what is published at once is seen")
        facts = [data(each) for each in landed(mesh, "runs")]
        while_waiting = texts(mesh.events("said"))

        await mesh.answer(question, "yes")
        await mesh.idle()
        afterwards = texts(mesh.events("said"))

    assert [fact["note"]["text"] for fact in facts] == ["Go on?"]
    assert facts[0]["question"] == question.id
    assert while_waiting == ["at once"]
    assert afterwards == ["at once", "collected", "yes"]


def test_a_turn_that_publishes_and_waits_publishes_each_once_wherever_it_dies() -> None:
    def check(after: Aftermath) -> None:
        assert texts(after.events("said")) == ["at once", "collected", "yes"]

    crash_everywhere(asker(), TASK, check, answer=lambda _question: "yes")


# ── previews ───────────────────────────────────────────────────────────────────────────────────────────────


async def streaming(outside: Outside) -> Messages:
    """A team of which one has a helper; all stream what their models say."""
    helper = AgentTool(outside.agent("helper", "a b c", model_client_stream=True))
    call = [("c1", "helper", '{"task": "help"}')]
    one = outside.agent("one", call, tools=[helper], model_client_stream=True)
    two = outside.agent("two", "d e", model_client_stream=True)
    return (await RoundRobinGroupChat([one, two], max_turns=2).run(task="go")).messages


async def test_tokens_are_shown_live_and_committed_as_one() -> None:
    outside, ids = Outside(), list[list[str]]()

    async def program(_task: Task, ctx: MessageContext) -> Messages:
        messages = await streaming(outside)
        ids.append([each.id for each in messages])
        if len(ids) == 1:
            await ctx.ask("Enough?")
        return messages

    async with MemoryMesh() as mesh:
        await mesh.run(desk(program, fails=1))
        await mesh.publish(*TASK[0])
        question = await mesh.question("desk")
        await until(lambda: len(landed(mesh, "stream")) > 1, "previews are shown")
        shown = [data(each) for each in landed(mesh, "stream")]
        assert not mesh.events("said")
        await mesh.answer(question, "yes")
        await mesh.idle()
        again = [data(each) for each in landed(mesh, "stream")]
        said = expect(mesh.events("said")).exactly(1).one(Said)

    assert [(each["name"], each["path"], each["text"]) for each in shown if "text" in each] == [
        ("helper", ["one", "c1"], "a b c "),
        ("two", ["two"], "d e "),
    ]
    assert again == shown
    assert [each["id"] for each in said.messages] == ids[0]
    assert all(each == ids[0] for each in ids)
    assert "ModelClientStreamingChunkEvent" not in {each["type"] for each in said.messages}
    assert outside.done == {"one": 1, "two": 1, "helper": 1}
