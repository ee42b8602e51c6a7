"""`BackgroundCall`: an answer the provider works on alone, found again by its number."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from openai.types.responses import Response

from agentopic.core._turn import StepSpec, current_turn
from agentopic.core.models import CreateResult
from agentopic.core.models._recording import usage_of_result
from agentopic.core.utils._canonical_json import canonical_json
from agentopic.ext.models._client import Question
from agentopic.ext.models.openai._responses_assembly import is_finished

_LOOK_EVERY_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BackgroundCall:
    """One call in two steps: its start, whose result is the number, and its answer."""

    start: Callable[[], Awaitable[Response]]
    look: Callable[[str], Awaitable[Response]]
    """Shows how far the answer with a number is."""
    read: Callable[[Response], CreateResult]
    name: str
    endpoint: str
    question: Question
    estimate: Callable[[], int]

    async def answer(self) -> CreateResult:
        """The answer; inside a durable turn each step is recorded and made once."""
        turn = current_turn.get()
        if turn is None:
            return await self._wait(await self._begin(""))
        number = await turn.step(self._beginning(), self._begin)
        return await turn.step(self._waiting(number), lambda _key: self._wait(number))

    async def _begin(self, _idempotency_key: str) -> str:
        return (await self.start()).id

    async def _wait(self, number: str) -> CreateResult:
        response = await self.look(number)
        while not is_finished(response):
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
            response = await self.look(number)
        return self.read(response)

    def _beginning(self) -> StepSpec[str]:
        return StepSpec(
            kind="model",
            name=self.name,
            input=_canonical(self.question),
            encode=str.encode,
            decode=bytes.decode,
            repeatable=True,
            endpoint=self.endpoint,
            estimate=self.estimate,
        )

    def _waiting(self, number: str) -> StepSpec[CreateResult]:
        return StepSpec(
            kind="model",
            name=self.name,
            input=canonical_json({"response": number}),
            encode=lambda result: result.model_dump_json().encode(),
            decode=CreateResult.model_validate_json,
            repeatable=True,
            endpoint=self.endpoint,
            usage=usage_of_result,
        )


def _canonical(question: Question) -> bytes:
    """What was asked, without what only this process keeps of earlier answers."""
    choice = question.tool_choice
    return canonical_json(
        {
            "messages": [message.model_dump(mode="json") for message in question.messages],
            "tools": question.tool_schemas,
            "tool_choice": choice if isinstance(choice, str) else choice.name,
            "json_output": question.json_output,
            "extra": dict(question.extra),
        }
    )
