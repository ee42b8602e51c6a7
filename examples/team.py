"""Two agents take turns until one of them approves, or six messages have been said.

python team.py
"""

from __future__ import annotations

import asyncio

from agentopic.agentchat.agents import AssistantAgent
from agentopic.agentchat.conditions import MaxMessageTermination, TextMentionTermination
from agentopic.agentchat.teams import RoundRobinGroupChat
from agentopic.agentchat.ui import Console
from agentopic.ext.models.replay import ReplayChatCompletionClient


async def main() -> None:
    writer = AssistantAgent("writer", ReplayChatCompletionClient(["Tea is hot.", "Tea is hot, and good."]))
    critic = AssistantAgent("critic", ReplayChatCompletionClient(["Say more.", "APPROVE"]))
    until = TextMentionTermination("APPROVE", sources=["critic"]) | MaxMessageTermination(6)
    team = RoundRobinGroupChat([writer, critic], termination_condition=until)
    result = await Console(team.run_stream(task="A line about tea."))
    print(result.stop_reason)


if __name__ == "__main__":
    asyncio.run(main())
