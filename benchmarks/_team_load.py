"""The load of the comparison of teams: `python _team_load.py <package> <conversations> <crowd>` prints JSON.

A conversation is one run of a fresh round-robin team of two assistants over ten group-chat turns with scripted models;
the crowd is that many of them at once in one process, kept until all have ended.
"""

import asyncio
import importlib
import json
import resource
import sys
import time

SEPARATOR = "." if sys.argv[1] == "agentopic" else "_"
TURNS = 10


def module(name: str):
    return importlib.import_module(f"{sys.argv[1]}{SEPARATOR}{name}")


agents, teams, replay = module("agentchat.agents"), module("agentchat.teams"), module("ext.models.replay")


def team(turns: int = TURNS):
    said = [f"answer {number}" for number in range(turns)]
    two = [agents.AssistantAgent(name, replay.ReplayChatCompletionClient(list(said))) for name in ("anna", "ben")]
    return teams.RoundRobinGroupChat(two, max_turns=turns)


async def conversations(count: int) -> float:
    made = [team() for _ in range(count)]
    began = time.perf_counter()
    for each in made:
        await each.run(task="begin")
    return (time.perf_counter() - began) / count


async def crowd(count: int) -> float:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    made = [team() for _ in range(count)]
    results = await asyncio.gather(*(each.run(task="begin") for each in made))
    if any(len(result.messages) != TURNS + 1 for result in results):
        raise RuntimeError("a conversation has lost messages")
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return max(after, before) / 1024


async def main() -> None:
    await conversations(5)
    seconds = await conversations(int(sys.argv[2]))
    told = {"milliseconds_per_conversation": seconds * 1e3}
    if int(sys.argv[3]):
        told["crowd_rss_mb"] = await crowd(int(sys.argv[3]))
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    asyncio.run(main())
