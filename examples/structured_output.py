"""An assistant whose answer is an object of a class, not a text.

python structured_output.py
"""

from __future__ import annotations

import asyncio
from typing import cast

from pydantic import BaseModel, Field

from agentopic.agentchat.agents import AssistantAgent
from agentopic.agentchat.messages import StructuredMessage
from agentopic.core.models import ModelInfo
from agentopic.ext.models.replay import ReplayChatCompletionClient

ABLE = ModelInfo(vision=False, function_calling=False, json_output=True, family="unknown", structured_output=True)


class Verdict(BaseModel):
    mood: str
    points: int = Field(ge=0, le=10)


async def main() -> None:
    model = ReplayChatCompletionClient(['{"mood": "happy", "points": 7}'], ABLE)
    judge = AssistantAgent("judge", model, output_content_type=Verdict)
    answer = (await judge.run(task="How was the tea?")).messages[-1]
    verdict = cast("StructuredMessage[Verdict]", answer).content
    print(f"{verdict.mood}, {verdict.points} of 10")


if __name__ == "__main__":
    asyncio.run(main())
