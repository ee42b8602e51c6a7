"""An assistant that calls a tool and says what it has found; the model is a script, so no key is needed.

python assistant_tools.py
"""

from __future__ import annotations

import asyncio

from agentopic.agentchat.agents import AssistantAgent
from agentopic.core import FunctionCall
from agentopic.core.models import CreateResult, ModelInfo, RequestUsage
from agentopic.core.tools import FunctionTool
from agentopic.ext.models.replay import ReplayChatCompletionClient

ABLE = ModelInfo(vision=False, function_calling=True, json_output=True, family="unknown", structured_output=True)


def price(item: str, count: int = 1) -> str:
    """The price of an item."""
    return f"{count} x {item}: {count * {'tea': 4, 'cake': 7}[item]} EUR"


def calling(name: str, arguments: str) -> CreateResult:
    """What a model answers that wants a tool to be called."""
    return CreateResult(
        finish_reason="function_calls",
        content=[FunctionCall(id="1", name=name, arguments=arguments)],
        usage=RequestUsage(prompt_tokens=0, completion_tokens=0),
        cached=False,
    )


async def main() -> None:
    script = [
        calling("price", '{"item": "tea", "count": 3}'),
        calling("price", '{"item": "gold"}'),
        "Tea for three is 12 EUR; we have no gold.",
    ]
    # pure: a durable turn may call it again after a crash
    tool = FunctionTool(price, description="Looks up a price.", effect="pure", timeout_seconds=5)
    clerk = AssistantAgent("clerk", ReplayChatCompletionClient(script, ABLE), tools=[tool], max_tool_iterations=3)
    result = await clerk.run(task="Tea for three, and some gold?")
    for message in result.messages:
        print(f"{type(message).__name__} {message.source}: {message.to_text()}")


if __name__ == "__main__":
    asyncio.run(main())
