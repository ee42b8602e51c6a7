"""The team under fault: two speakers, each of whose words costs one paid call; also the processes that serve and call.

`python chaos_team.py serve <member>…` or `python chaos_team.py call <first> <end>`.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agentopic import DurableRuntime, serve
from agentopic.agentchat.agents import BaseChatAgent
from agentopic.agentchat.base import Response
from agentopic.agentchat.messages import BaseChatMessage, TextMessage
from agentopic.agentchat.teams import RoundRobinGroupChat
from agentopic.core import CancellationToken
from agentopic.core.models import CreateResult, RequestUsage, UserMessage
from agentopic.ext.models.replay import ReplayChatCompletionClient
from agentopic.team_service import RemoteTeam, TeamService
from agentopic.testing.history import HistoryFile

HISTORY = HistoryFile(Path(os.environ.get("CHAOS_HISTORY", "history.jsonl")))
TURNS = 6
TEAM = "crew"


class PaidModel(ReplayChatCompletionClient):
    """Notes each call, takes its time, and repeats what it was asked last."""

    async def create(self, messages: Any, **options: Any) -> Any:
        asked = str(messages[-1].content)
        HISTORY.note("call", "invoke", asked)
        await asyncio.sleep(random.uniform(0.2, 0.6))
        usage = RequestUsage(prompt_tokens=1, completion_tokens=1)
        return CreateResult(finish_reason="stop", content=asked, usage=usage, cached=False)


class Speaker(BaseChatAgent):
    """Says for which conversation it speaks for which time, once that is paid."""

    produced_message_types = (TextMessage,)  # type: ignore[assignment]

    def __init__(self, name: str) -> None:
        super().__init__(name, "speaks")
        self.spoken, self.subject = 0, ""

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        self.subject = self.subject or messages[0].to_text()
        self.spoken += 1
        words = f"{self.subject} {self.name} {self.spoken}"
        HISTORY.note("call", "unknown", words)
        answer = await PaidModel([words]).create([UserMessage(content=words, source=self.name)])
        HISTORY.note("call", "ok", words)
        return Response(chat_message=TextMessage(content=answer.content, source=self.name))

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        self.spoken = 0

    async def save_state(self) -> Mapping[str, Any]:
        return {"spoken": self.spoken, "subject": self.subject}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        self.spoken, self.subject = state["spoken"], state["subject"]


def crew() -> RoundRobinGroupChat:
    return RoundRobinGroupChat([Speaker("ann"), Speaker("bob")], max_turns=TURNS, name=TEAM)


def expected(number: int) -> list[str]:
    """What is said in a conversation."""
    said = [f"c{number} {'ann' if turn % 2 == 0 else 'bob'} {turn // 2 + 1}" for turn in range(TURNS)]
    return [f"c{number}", *said]


async def call(first: int, end: int) -> None:
    """Run those conversations that have no end yet."""
    ended = {each.subject for each in HISTORY.read() if each.operation == "request" and each.phase == "ok"}
    async with DurableRuntime() as runtime:
        sys.stdout.write('{"event": "ready"}\n')
        sys.stdout.flush()
        numbers = [number for number in range(first, end) if f"c{number}" not in ended]
        await asyncio.gather(*(_converse(runtime, number) for number in numbers))


async def _converse(runtime: DurableRuntime, number: int) -> None:
    name = f"c{number}"
    HISTORY.note("request", "invoke", name)
    team = RemoteTeam(TEAM, runtime, conversation=name)
    result = await team.run(task=name, run_name="only")
    HISTORY.note("request", "ok", name, said=[message.to_text() for message in result.messages])


async def work(members: list[str]) -> None:
    """Serve members until SIGTERM."""

    def ready() -> None:
        sys.stdout.write('{"event": "ready"}\n')
        sys.stdout.flush()

    await serve(DurableRuntime(), TeamService(crew, concurrency=2).services(members), ready=ready)


if __name__ == "__main__":
    what, *given = sys.argv[1:]
    asyncio.run(work(given) if what == "serve" else call(int(given[0]), int(given[1])))
