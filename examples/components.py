"""An agent as JSON: written down, loaded again, and refused where the JSON asks for too much.

python components.py
"""

from __future__ import annotations

import asyncio

from agentopic.agentchat.agents import AssistantAgent
from agentopic.core.models import ModelInfo
from agentopic.errors import ComponentError
from agentopic.ext.models.replay import ReplayChatCompletionClient

ABLE = ModelInfo(vision=False, function_calling=True, json_output=True, family="unknown", structured_output=True)


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


async def main() -> None:
    agent = AssistantAgent("helper", ReplayChatCompletionClient(["At your service."]), description="helps")
    written = agent.dump_component().model_dump_json(exclude_none=True)
    print(written[:66] + "...")

    loaded = AssistantAgent.load_component(AssistantAgent.dump_component(agent))
    print((await loaded.run(task="Hello?")).messages[-1].to_text())

    # the source of a tool is in the JSON: it is run only where somebody says so
    adder = AssistantAgent("adder", ReplayChatCompletionClient(["3"], ABLE), tools=[add])
    carrying = adder.dump_component().model_dump()
    for allowed in (False, True):
        try:
            AssistantAgent.load_component(carrying, allow_source_code=allowed)
            print("loaded with its tool")
        except ComponentError as error:
            print("refused at", error.path)

    carrying["config"]["model_client"]["provider"] = "shop.models.Client"
    try:
        AssistantAgent.load_component(carrying, allow_source_code=True)
    except ComponentError as error:
        print("refused at", error.path)


if __name__ == "__main__":
    asyncio.run(main())
