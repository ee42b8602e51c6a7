"""Agents and conditions within teams, as JSON: `python autogen_teamwork.py autogen|agentopic`."""

import asyncio
import importlib
import json
import sys
import warnings
from typing import Any

SEPARATOR = "_" if sys.argv[1] == "autogen" else "."


def module(name: str) -> Any:
    return importlib.import_module(f"{sys.argv[1]}{SEPARATOR}{name}")


core, models = module("core"), module("core.models")
agents, base, teams = module("agentchat.agents"), module("agentchat.base"), module("agentchat.teams")
conditions, tools = module("agentchat.conditions"), module("agentchat.tools")
replay = module("ext.models.replay")

ABLE = {"vision": True, "function_calling": True, "json_output": True, "family": "unknown", "structured_output": True}
MINTED = ("id", "created_at", "full_message_id", "request_id")


def client(*answers: Any) -> Any:
    return replay.ReplayChatCompletionClient(list(answers), ABLE)


def calling(name: str, arguments: str) -> Any:
    content = [core.FunctionCall(id="0", name=name, arguments=arguments)]
    usage = models.RequestUsage(3, 4)
    return models.CreateResult(finish_reason="function_calls", content=content, usage=usage, cached=False)


def without(value: Any, *names: str) -> Any:
    if isinstance(value, dict):
        return {key: without(item, *names) for key, item in value.items() if key not in names}
    return [without(item, *names) for item in value] if isinstance(value, list | tuple) else value


async def shown(runner: Any, task: str = "t") -> list[Any]:
    items: list[Any] = []
    async for item in runner.run_stream(task=task):
        if isinstance(item, base.TaskResult):
            items.append([[type(message).__name__ for message in item.messages], item.stop_reason])
        else:
            items.append(without(dict(item.dump()), *MINTED))
    return items


def pair() -> Any:
    members = [agents.AssistantAgent(name, client(*(f"{name}{i}" for i in range(4)))) for name in ("x", "y")]
    return teams.RoundRobinGroupChat(members, termination_condition=conditions.MaxMessageTermination(3))


def society() -> Any:
    return agents.SocietyOfMindAgent(
        "s", pair(), client("short", "shorter"), instruction="before", response_prompt="after"
    )


def assistant(*answers: Any, **options: Any) -> Any:
    return agents.AssistantAgent("a", client(*answers), **options)


def person() -> Any:
    return agents.UserProxyAgent("u", input_func=lambda prompt: f"TERMINATE {prompt}")


async def main() -> None:
    warnings.simplefilter("ignore")
    alone = society()
    mention = conditions.TextMentionTermination("TERMINATE", sources=["u"]) | conditions.MaxMessageTermination(9)
    result = {
        "society": [await shown(alone), await shown(alone, "again")],
        "team as a tool": await shown(
            assistant(
                calling("pair", '{"task": "sub"}'),
                "done",
                tools=[tools.TeamTool(pair(), "pair", "two")],
                max_tool_iterations=2,
            )
        ),
        "person": await shown(
            teams.RoundRobinGroupChat([assistant("one", "two"), person()], termination_condition=mention)
        ),
        "society in a team": await shown(teams.RoundRobinGroupChat([assistant("one", "two"), society()], max_turns=2)),
        "handoff to a person and back": await shown(
            teams.Swarm(
                [assistant(calling("transfer_to_u", "{}"), handoffs=["u"]), person()],
                termination_condition=conditions.HandoffTermination("a"),
            )
        ),
        "config": sorted(society().dump_component().config),
    }
    json.dump(result, sys.stdout)


asyncio.run(main())
