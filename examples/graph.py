"""A team whose order of speakers is a graph: two editors at once, then one who joins; round again until it is good.

python graph.py
"""

from __future__ import annotations

import asyncio

from agentopic.agentchat.agents import AssistantAgent
from agentopic.agentchat.conditions import MaxMessageTermination
from agentopic.agentchat.messages import TextMessage
from agentopic.agentchat.teams import DiGraphBuilder, GraphFlow
from agentopic.ext.models.replay import ReplayChatCompletionClient


def agent(name: str, *says: str) -> AssistantAgent:
    return AssistantAgent(name, ReplayChatCompletionClient(list(says)))  # stands for a real model


async def main() -> None:
    writer = agent("writer", "Tea iz hot.", "Tea is hot, and good.")
    spelling, style = agent("spelling", "Write: is.", "Fine."), agent("style", "Say more.", "Fine.")
    chief = agent("chief", "AGAIN", "PRINT")
    printer = agent("printer", "Printed.")

    graph = DiGraphBuilder()
    for each in (writer, spelling, style, chief, printer):
        graph.add_node(each, activation="any" if each is writer else "all")
    graph.add_edge(writer, spelling).add_edge(writer, style)  # both at once
    graph.add_edge(spelling, chief).add_edge(style, chief)  # who waits for both
    graph.add_edge(chief, writer, condition="AGAIN").add_edge(chief, printer, condition="PRINT")
    graph.set_entry_point(writer)

    team = GraphFlow(graph.get_participants(), graph.build(), termination_condition=MaxMessageTermination(20))
    result = await team.run(task="A line about tea.")
    for message in result.messages:
        if isinstance(message, TextMessage):
            print(f"{message.source}: {message.content}")


if __name__ == "__main__":
    asyncio.run(main())
