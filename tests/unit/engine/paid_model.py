"""A model that answers, or fails, as a test says, and counts what it is asked."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from agentopic.core.models import CreateResult, RequestUsage, UserMessage
from agentopic.ext.models.replay import ReplayChatCompletionClient

QUESTION = [UserMessage(content="what?", source="test")]

Outcome = str | Exception | Callable[[], Awaitable[str]]


class PaidModel(ReplayChatCompletionClient):
    """Takes 1,000 tokens and gives 100 for each answer; without a script it always answers "yes"."""

    def __init__(self, *outcomes: Outcome, name: str = "gpt-4o-mini") -> None:
        super().__init__([])
        self.outcomes = list(outcomes)
        self.name = name
        self.calls = 0

    @property
    def step_name(self) -> str:
        return self.name

    async def create(self, messages: Any, **_: Any) -> CreateResult:
        self.calls += 1
        outcome = self.outcomes.pop(0) if self.outcomes else "yes"
        if isinstance(outcome, Exception):
            raise outcome
        return result(outcome if isinstance(outcome, str) else await outcome())

    async def create_stream(self, messages: Any, **_: Any) -> AsyncGenerator[str | CreateResult, None]:
        """Gives the words of the next answer; of a failure a few words before it."""
        self.calls += 1
        outcome = self.outcomes.pop(0) if self.outcomes else "yes"
        if isinstance(outcome, Exception):
            yield "half of "
            raise outcome
        text = outcome if isinstance(outcome, str) else await outcome()
        for word in text.split():
            yield f"{word} "
        yield result(text)

    def count_tokens(self, messages: Any, **_: Any) -> int:
        return 900


def result(text: str) -> CreateResult:
    return CreateResult(
        finish_reason="stop", content=text, usage=RequestUsage(prompt_tokens=1000, completion_tokens=100), cached=False
    )
