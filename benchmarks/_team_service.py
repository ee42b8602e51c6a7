"""A team as a service for the load: two assistants with scripted models, all members in one process.

`python -m benchmarks._team_service <transport> <journal> <namespace>`; it says `ready` when its partitions are leased.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Final

from agentopic import DurableRuntime, serve
from agentopic.agentchat.agents import AssistantAgent
from agentopic.agentchat.teams import RoundRobinGroupChat
from agentopic.ext.models.replay import ReplayChatCompletionClient
from agentopic.team_service import TeamService
from benchmarks._shape import PARTITIONS

TURNS: Final = 10


def pair() -> RoundRobinGroupChat:
    """Two assistants that speak in turn; their models answer at once."""
    agents = [AssistantAgent(name, ReplayChatCompletionClient(["fine"] * TURNS)) for name in ("writer", "critic")]
    return RoundRobinGroupChat([*agents], max_turns=TURNS, name="pair")


async def main(transport: str, journal: str, namespace: str) -> None:
    """Serve until SIGTERM."""
    runtime = DurableRuntime(transport, journal, namespace=namespace, partitions=PARTITIONS)
    await serve(runtime, TeamService(pair).services(), ready=lambda: print("ready", flush=True))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
