from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agentopic.agentchat.agents import AssistantAgent, BaseChatAgent, UserProxyAgent
from agentopic.agentchat.base import Response, TaskResult
from agentopic.agentchat.messages import TextMessage, ThoughtEvent
from agentopic.agentchat.teams import RoundRobinGroupChat
from agentopic.agentchat.tools import AgentTool, TeamTool
from agentopic.core import CancellationToken

from .model_script import calling, scripted


class Counting(BaseChatAgent):
    """Notes who is in it at once."""

    def __init__(self) -> None:
        super().__init__("counting", "counts")
        self.inside, self.most = 0, 0

    @property
    def produced_message_types(self) -> tuple[type[TextMessage]]:
        return (TextMessage,)

    async def on_messages(self, messages: Any, cancellation_token: CancellationToken) -> Response:
        self.inside += 1
        self.most = max(self.most, self.inside)
        await asyncio.sleep(0)
        self.inside -= 1
        return Response(chat_message=TextMessage(content=messages[-1].content.upper(), source=self.name))

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        self.most = 0


async def test_an_agent_that_is_called_twice_at_once_answers_one_after_the_other() -> None:
    inner = Counting()
    calls = [("counting", f'{{"task": "{name}"}}') for name in ("a", "b")]
    outer = AssistantAgent("outer", scripted(calling(*calls)), tools=[AgentTool(inner)])

    answer = (await outer.run(task="t")).messages[-1]

    assert inner.most == 1
    assert answer.to_text() == "counting: A\ncounting: B"


async def test_a_task_without_a_last_message_is_told_to_the_model_as_an_error() -> None:
    tool = AgentTool(Counting(), return_value_as_last_message=True)

    with pytest.raises(ValueError, match="not a BaseChatMessage"):
        tool.return_value_as_string(TaskResult(messages=[]))
    with pytest.raises(ValueError, match="not a BaseChatMessage"):
        tool.return_value_as_string(TaskResult(messages=[ThoughtEvent(content="h", source="a")]))


async def test_what_an_agent_as_a_tool_remembers_is_part_of_the_state_of_the_agent_that_uses_it() -> None:
    def made(*answers: Any) -> AssistantAgent:
        inner = AssistantAgent("inner", scripted("first", "second"))
        return AssistantAgent("outer", scripted(*answers), tools=[AgentTool(inner)])

    used = made(calling(("inner", '{"task": "sub"}')))
    await used.run(task="t")
    state = await used.save_state()
    again = made("x")
    await again.load_state(state)

    assert await again.save_state() == state
    remembered = state["workbenches"][0]["tools"]["inner"]["llm_context"]["messages"]
    assert [message["content"] for message in remembered] == ["sub", "first"]


async def test_a_state_without_anything_of_tools_looks_like_autogens() -> None:
    async def add(a: int) -> int:
        """Adds."""
        return a

    state = await AssistantAgent("a", scripted("x"), tools=[add]).save_state()

    assert state == {"type": "AssistantAgentState", "version": "1.0.0", "llm_context": {"messages": []}}


async def test_a_later_attempt_takes_the_calls_within_an_agent_from_their_records(turns) -> None:
    clients, said, ran = [], [], []
    for _ in range(2):
        inner_client = scripted("in")
        clients.append(inner_client)
        inner = AssistantAgent("inner", inner_client)
        outer = AssistantAgent("outer", scripted(calling(("inner", '{"task": "sub"}'))), tools=[AgentTool(inner)])
        with turns.attempt() as turn:
            said.append((await outer.run(task="t")).messages)
            ran.append(turn.ran)

    assert said[0] == said[1]
    assert [len(steps) for steps in ran] == [2, 0]
    assert [client.total_usage().prompt_tokens > 0 for client in clients] == [True, False]


@pytest.mark.parametrize("nested", [False, True])
async def test_cancelling_reaches_the_agents_of_a_team_that_is_a_tool(nested: bool) -> None:
    waiting, ended = asyncio.Event(), asyncio.Event()

    async def never(prompt: str, cancellation_token: CancellationToken | None) -> str:
        waiting.set()
        try:
            return await asyncio.Future()
        finally:
            ended.set()

    team = RoundRobinGroupChat([UserProxyAgent("u", input_func=never)])
    if nested:
        team = RoundRobinGroupChat([team])
    token = CancellationToken()
    call = calling(("team", '{"task": "t"}'))
    outer = AssistantAgent("outer", scripted(call), tools=[TeamTool(team, "team", "d")])

    running = asyncio.create_task(outer.run(task="t", cancellation_token=token))
    async with asyncio.timeout(10):
        await waiting.wait()
        token.cancel()
        await asyncio.wait([running])
        await ended.wait()

    assert running.cancelled()
