"""Teams for the tests of deployed teams, on a mesh in memory: what makes them, and who calls them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from agentopic import RetryPolicy
from agentopic.agentchat.agents import AssistantAgent, BaseChatAgent, UserProxyAgent
from agentopic.agentchat.base import Response, TaskResult
from agentopic.agentchat.messages import BaseAgentEvent, BaseChatMessage, TextMessage, ThoughtEvent
from agentopic.agentchat.teams import RoundRobinGroupChat
from agentopic.core import CancellationToken
from agentopic.engine.runtime import EngineRuntime
from agentopic.ext.models.replay import ReplayChatCompletionClient
from agentopic.team_service import RemoteTeam, TeamService
from agentopic.testing import MemoryMesh

ONCE = RetryPolicy(max_failures=1)


class Gate:
    """Holds participants until it is opened; shared by all that the factory makes, as the world outside is."""

    def __init__(self) -> None:
        self.reached, self.open = asyncio.Event(), asyncio.Event()
        self.fails = False


class Gated(BaseChatAgent):
    """Thinks aloud, waits at the gate, and says how often it has spoken."""

    def __init__(self, name: str, gate: Gate) -> None:
        super().__init__(name, "waits at a gate")
        self._gate, self._spoken = gate, 0

    produced_message_types = (TextMessage,)  # type: ignore[assignment]

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        raise NotImplementedError("only streamed")

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        thought = ThoughtEvent(content="hm", source=self.name)
        yield thought
        self._gate.reached.set()
        await cancellation_token.link_future(asyncio.ensure_future(self._gate.open.wait()))
        if self._gate.fails:
            raise ZeroDivisionError("the gate is broken")
        self._spoken += 1
        said = TextMessage(content=f"{self.name}{self._spoken}", source=self.name)
        yield Response(chat_message=said, inner_messages=[thought])

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        self._spoken = 0

    async def save_state(self) -> dict[str, Any]:
        return {"spoken": self._spoken}

    async def load_state(self, state: Any) -> None:
        self._spoken = state["spoken"]


def gated(gate: Gate, *, turns: int = 2) -> Callable[[], RoundRobinGroupChat]:
    return lambda: RoundRobinGroupChat([Gated("a", gate), Gated("b", gate)], max_turns=turns, name="gated")


def desk() -> RoundRobinGroupChat:
    """A person, and an assistant that answers."""
    model = ReplayChatCompletionClient(["noted"] * 100)
    return RoundRobinGroupChat([UserProxyAgent("person"), AssistantAgent("clerk", model)], max_turns=2, name="desk")


class Calls:
    """What models were asked, as text."""

    def __init__(self) -> None:
        self.requests: list[str] = []

    def client(self) -> Any:
        calls = self

        class Listening(ReplayChatCompletionClient):
            async def create(self, messages: Any, **options: Any) -> Any:
                calls.requests.append("\n".join(str(message.content) for message in messages))
                return await super().create(messages, **options)

        return Listening(["a word"] * 1000)


@asynccontextmanager
async def served(make: Callable[[], Any], **options: Any) -> AsyncGenerator[tuple[MemoryMesh, EngineRuntime]]:
    """A mesh that serves a team, each member in a process of its own, and a caller's process."""
    async with MemoryMesh(**options) as mesh:
        team = TeamService(make, retry=ONCE)
        for member in team.members:
            await mesh.run(*team.services([member]))
        yield mesh, await caller(mesh)


async def caller(mesh: MemoryMesh) -> EngineRuntime:
    """One more process, that serves nothing."""
    runtime = mesh.runtime()
    await runtime.start()
    return runtime


def texts(result: TaskResult) -> list[str]:
    return [message.to_text() for message in result.messages]


async def until_shown(stream: AsyncGenerator[Any, None], text: str) -> list[str]:
    """What a stream shows up to a text."""
    shown: list[str] = []
    async for item in stream:
        shown.append(item.to_text())
        if shown[-1] == text:
            return shown
    raise AssertionError(f"{text} was not shown: {shown}")


async def rest_of(stream: AsyncGenerator[Any, None]) -> tuple[list[str], TaskResult]:
    """What a stream still shows, and its result."""
    shown: list[str] = []
    async for item in stream:
        if isinstance(item, TaskResult):
            return shown, item
        shown.append(item.to_text())
    raise AssertionError("no result")


def remote(team: str, runtime: EngineRuntime, conversation: str) -> RemoteTeam:
    return RemoteTeam(team, runtime, conversation=conversation)
