from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import pytest

from agentopic.agentchat.agents import SocietyOfMindAgent
from agentopic.agentchat.base import TaskResult, Team
from agentopic.agentchat.messages import BaseAgentEvent, BaseChatMessage, HandoffMessage, TextMessage
from agentopic.core import CancellationToken
from agentopic.core._turn import current_path
from agentopic.core.models import CreateResult
from agentopic.errors import ModelError

from .model_script import calling, scripted


class Echo(Team):
    """Says the task in capitals; remembers how often."""

    def __init__(self) -> None:
        self.tasks: list[Sequence[BaseChatMessage]] = []
        self.resets = 0

    @property
    def name(self) -> str:
        return "echo"

    @property
    def description(self) -> str:
        return "echoes"

    async def run(
        self,
        *,
        task: str | BaseChatMessage | Sequence[BaseChatMessage] | None = None,
        cancellation_token: CancellationToken | None = None,
        output_task_messages: bool = True,
    ) -> TaskResult:
        raise AssertionError("it is streamed")

    async def run_stream(
        self,
        *,
        task: str | BaseChatMessage | Sequence[BaseChatMessage] | None = None,
        cancellation_token: CancellationToken | None = None,
        output_task_messages: bool = True,
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | TaskResult, None]:
        assert isinstance(task, list)
        self.tasks.append(task)
        said = TextMessage(content=task[-1].to_text().upper(), source="e")
        yield said
        yield TaskResult(messages=[said])

    async def reset(self) -> None:
        self.resets += 1

    async def pause(self) -> None: ...

    async def resume(self) -> None: ...

    async def save_state(self) -> Mapping[str, Any]:
        return {"resets": self.resets}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        self.resets = state["resets"]


def society(team: Team, *answers: str | CreateResult) -> SocietyOfMindAgent:
    return SocietyOfMindAgent("s", team, scripted(*answers))


async def test_the_team_is_reset_and_the_task_remembered_before_the_answer_is_given() -> None:
    team = Echo()
    agent = society(team, "a", "b")
    stream = agent.on_messages_stream([TextMessage(content="t", source="user")], CancellationToken())

    await anext(stream)
    await anext(stream)
    await stream.aclose()

    assert team.resets == 1
    assert [message.content for message in await agent.model_context.get_messages()] == ["t"]


async def test_earlier_tasks_reach_the_team_as_context() -> None:
    team = Echo()
    agent = society(team, "a", "b")

    await agent.run(task="one")
    await agent.run(task="two")

    first, second = team.tasks[1]
    assert isinstance(first, HandoffMessage)
    assert [message.content for message in first.context] == ["one"]
    assert second.to_text() == "two"


async def test_the_conversation_is_saved_with_the_team() -> None:
    agent = society(Echo(), "a")
    await agent.run(task="one")
    state = await agent.save_state()
    again = society(Echo(), "b")

    await again.load_state(state)

    assert await again.save_state() == state
    assert state["inner_team_state"] == {"resets": 1}
    assert [message["content"] for message in state["llm_context"]["messages"]] == ["one"]


async def test_a_state_of_autogens_is_loaded() -> None:
    team = Echo()

    await society(team).load_state(
        {"type": "SocietyOfMindAgentState", "version": "1.0.0", "inner_team_state": {"resets": 7}}
    )

    assert team.resets == 7


async def test_a_model_that_calls_tools_instead_of_answering_is_an_error() -> None:
    with pytest.raises(ModelError, match="'s' called tools"):
        await society(Echo(), calling(("x", "{}"))).run(task="t")


async def test_resetting_forgets_the_conversation_and_the_teams() -> None:
    team = Echo()
    agent = society(team, "a")
    await agent.run(task="one")

    await agent.on_reset(CancellationToken())

    assert team.resets == 2
    assert await agent.model_context.get_messages() == []


async def test_steps_of_the_team_have_a_place_of_their_own(turns) -> None:
    paths: list[tuple[str, ...]] = []

    class Looking(Echo):
        async def run_stream(self, **given: Any) -> AsyncGenerator[Any, None]:
            paths.append(current_path.get())
            async for item in super().run_stream(**given):
                paths.append(current_path.get())
                yield item

    with turns.attempt():
        given = [TextMessage(content="t", source="user")]
        async for item in society(Looking(), "a").on_messages_stream(given, CancellationToken()):
            assert item is not None
            paths += [current_path.get()]

    assert paths == [("s",), ("s",), (), ("s",), ()]
