"""An assistant that has another assistant as a tool; with `TeamTool`, a whole team is one in the same way.

python agent_as_tool.py
"""

from __future__ import annotations

import asyncio

from agentopic.agentchat.agents import AssistantAgent
from agentopic.agentchat.tools import AgentTool
from agentopic.core import FunctionCall
from agentopic.core.models import CreateResult, ModelInfo, RequestUsage
from agentopic.ext.models.replay import ReplayChatCompletionClient

ABLE = ModelInfo(vision=False, function_calling=True, json_output=True, family="unknown", structured_output=True)


async def main() -> None:
    translator = AssistantAgent(
        "translator", ReplayChatCompletionClient(["Le thé est chaud."]), description="Translates into French."
    )
    wish = FunctionCall(id="1", name="translator", arguments='{"task": "Tea is hot."}')
    usage = RequestUsage(prompt_tokens=0, completion_tokens=0)
    calls = CreateResult(finish_reason="function_calls", content=[wish], usage=usage, cached=False)
    model = ReplayChatCompletionClient([calls, "In French: Le thé est chaud."], ABLE)

    tool = AgentTool(translator, return_value_as_last_message=True)
    clerk = AssistantAgent("clerk", model, tools=[tool], max_tool_iterations=2)
    result = await clerk.run(task="Say in French: Tea is hot.")
    for message in result.messages:
        print(f"{type(message).__name__}: {message.to_text()}")


if __name__ == "__main__":
    asyncio.run(main())
