"""A team as a service: its members are agent types, a caller anywhere runs it, and its conversations outlive all."""

from __future__ import annotations

import asyncio
import tempfile

from agentopic import DurableRuntime
from agentopic.agentchat.agents import AssistantAgent
from agentopic.agentchat.base import TaskResult
from agentopic.agentchat.conditions import TextMentionTermination
from agentopic.agentchat.teams import RoundRobinGroupChat
from agentopic.ext.models.replay import ReplayChatCompletionClient
from agentopic.team_service import RemoteTeam, TeamService


def make_team() -> RoundRobinGroupChat:
    """What is deployed: called anew for each conversation, so that no two of them share an agent."""
    writer = AssistantAgent("writer", ReplayChatCompletionClient(["A first draft.", "A better draft."]))
    critic = AssistantAgent("critic", ReplayChatCompletionClient(["Make it shorter.", "APPROVE"]))
    return RoundRobinGroupChat(
        [writer, critic], name="newsroom", termination_condition=TextMentionTermination("APPROVE")
    )


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{folder}/mesh.db"
        # The service: elsewhere this is `agentopic run team_service:make_team`, or one process per `--only` member.
        service = DurableRuntime(database, database)
        await TeamService(make_team).register(service)
        async with service, DurableRuntime(database, database) as caller:
            team = RemoteTeam("newsroom", caller, conversation="issue-7")
            async for item in team.run_stream(task="Write a headline."):
                if not isinstance(item, TaskResult):
                    print(f"{item.source}: {item.to_text()}")
            # Anybody who knows the conversation's id sees the whole run, also when it is over.
            async for item in RemoteTeam("newsroom", caller).join("issue-7"):
                if isinstance(item, TaskResult):
                    print(f"{len(item.messages)} messages; {item.stop_reason}")


if __name__ == "__main__":
    asyncio.run(main())
