"""A service whose handler is a chat program, a model that answers by the conversation, a count of what was done."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Any, TypeAlias

from pydantic import BaseModel

from agentopic import AgentService, RetryPolicy, payload
from agentopic.agentchat.agents import AssistantAgent
from agentopic.agentchat.messages import BaseAgentEvent, BaseChatMessage
from agentopic.core import FunctionCall, MessageContext, RoutedAgent, TopicId, TypeSubscription, message_handler
from agentopic.core._turn import current_turn
from agentopic.core.models import AssistantMessage, CreateResult, ModelInfo, RequestUsage
from agentopic.core.tools import FunctionTool
from agentopic.engine.turn import Turn
from agentopic.envelope import Envelope
from agentopic.envelope.kafka import decode_record
from agentopic.ext.models.replay import ReplayChatCompletionClient
from agentopic.ports.transport import TopicPartition
from agentopic.testing import MemoryMesh, crash_point

ABLE = ModelInfo(vision=False, function_calling=True, json_output=True, family="unknown", structured_output=True)
AT_ONCE = RetryPolicy(initial_seconds=0.0)
TOKENS = 10
"""What an answer of a model takes and gives."""

Messages: TypeAlias = Sequence[BaseAgentEvent | BaseChatMessage]
Call: TypeAlias = tuple[str, str, str]
"""Of a tool: the call's id, the tool's name, the arguments as JSON."""


class Outside:
    """All that lies outside of the process: counts what is really done there."""

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()

    def reset(self) -> None:
        """Begin anew."""
        self.done.clear()

    async def do(self, what: str) -> None:
        """Do something that is seen from outside; its process may die before and after it."""
        await crash_point(f"before {what}")
        self.done[what] += 1
        await crash_point(f"after {what}")

    def tool(self, name: str, *, parameter: str = "item", **options: Any) -> FunctionTool:
        """A tool of this name that does this."""

        async def run(item: str) -> str:
            await self.do(name)
            return f"{name} {item}"

        return FunctionTool(run, description=name, name=name, **options)

    def model(self, name: str, *answers: str | Sequence[Call]) -> ChatModel:
        """A model of this name."""
        return ChatModel(name, self, answers)

    def agent(self, name: str, *answers: str | Sequence[Call], **options: Any) -> AssistantAgent:
        """An assistant of this name whose model has the same one."""
        return AssistantAgent(name, self.model(name, *answers), description=name, **options)


class ChatModel(ReplayChatCompletionClient):
    """Gives the n-th answer, or the last, to a conversation that holds n of its answers."""

    def __init__(self, name: str, outside: Outside, answers: Sequence[str | Sequence[Call]]) -> None:
        super().__init__([], ABLE)
        self._name, self._outside, self._answers = name, outside, answers

    @property
    def step_name(self) -> str:
        return self._name

    async def create(self, messages: Any, **_: Any) -> CreateResult:
        await self._outside.do(self._name)
        heard = sum(isinstance(each, AssistantMessage) for each in messages)
        answer = self._answers[min(heard, len(self._answers) - 1)]
        called = not isinstance(answer, str)
        content = (
            [FunctionCall(id=id_, name=name, arguments=given) for id_, name, given in answer] if called else answer
        )
        return CreateResult(
            finish_reason="function_calls" if called else "stop",
            content=content,
            usage=RequestUsage(prompt_tokens=TOKENS, completion_tokens=TOKENS),
            cached=False,
        )

    async def create_stream(self, messages: Any, **_: Any) -> AsyncGenerator[str | CreateResult, None]:
        result = await ChatModel.create.__wrapped__(self, messages)  # pyright: ignore[reportFunctionMemberAccess] - the call inside the step
        if isinstance(result.content, str):
            for word in result.content.split():
                yield f"{word} "
        yield result


@payload("shapes.Task.v1")
class Task(BaseModel):
    """What a conversation begins with."""

    text: str = "go"


@payload("shapes.Said.v1")
class Said(BaseModel):
    """What was said."""

    messages: list[dict[str, Any]]

    @property
    def last(self) -> str:
        """The text of the last message."""
        content = self.messages[-1]["content"]
        return content if isinstance(content, str) else str(content)


Program: TypeAlias = Callable[[Task, MessageContext], Awaitable[Messages]]


class Desk(RoutedAgent):
    """Runs a chat program for each task and publishes what came of it; fails so often after it as is asked."""

    def __init__(self, program: Program, left: list[tuple[str, str]] | None, fails: list[int]) -> None:
        super().__init__("desk")
        self._program, self._left, self._fails = program, left, fails

    @message_handler
    async def on_task(self, message: Task, ctx: MessageContext) -> None:
        turn = current_turn.get()
        if self._left is not None and isinstance(turn, Turn):
            self._left[:] = sorted((row.kind, row.name) for row in turn.steps.log.recorded.values())
        said = [dict(each.dump()) for each in await self._program(message, ctx)]
        await self.publish_message(Said(messages=said), TopicId("said", self.id.key))
        if self._fails and self._fails.pop():
            raise ConnectionError("the attempt fails after everything")


def desk(program: Program, *, left: list[tuple[str, str]] | None = None, fails: int = 0) -> AgentService:
    """The service; `left` takes the steps that an earlier attempt has recorded, by kind and name."""
    failing = [1] * fails
    return AgentService(
        "desk",
        lambda: Desk(program, left, failing),
        subscriptions=[TypeSubscription("task", "desk")],
        publishes={"said": Said},
        stateless=True,
        retry=AT_ONCE,
    )


async def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition; say what did not come true."""
    try:
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110 - any condition of any object
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"it did not come true: {what}") from None


def landed(mesh: MemoryMesh, topic: str) -> list[Envelope]:
    """What lies in a topic, by its name after the namespace, in the order of its partitions."""
    name = f"test.{topic}"
    parts = [TopicPartition(name, index) for index in range(mesh.log.topics().get(name, 0))]
    return [decode_record(each.headers, each.value) for part in parts for each in mesh.log.partition(part)]


def data(event: Envelope) -> Any:
    """The JSON of an event."""
    return json.loads(event.data or b"null")


TASK = [(Task(), TopicId("task", "ann"))]
