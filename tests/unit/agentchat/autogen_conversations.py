"""Conversations and components as JSON: `python autogen_conversations.py autogen|agentopic`."""

import asyncio
import importlib
import json
import sys
import warnings
from typing import Any

from pydantic import BaseModel

SEPARATOR = "_" if sys.argv[1] == "autogen" else "."


def module(name: str) -> Any:
    return importlib.import_module(f"{sys.argv[1]}{SEPARATOR}{name}")


core, models, tools = module("core"), module("core.models"), module("core.tools")
memory, contexts = module("core.memory"), module("core.model_context")
agents, base, messages = module("agentchat.agents"), module("agentchat.base"), module("agentchat.messages")
replay = module("ext.models.replay")

ABLE = {"vision": True, "function_calling": True, "json_output": True, "family": "unknown", "structured_output": True}


class Number(BaseModel):
    x: int


async def add(a: int, b: int) -> int:
    """Adds."""
    return a + b


def boom(a: int) -> int:
    """Fails."""
    raise RuntimeError("bad")


def client(*answers: Any) -> Any:
    return replay.ReplayChatCompletionClient(list(answers), ABLE)


def calling(*calls: tuple[str, str]) -> Any:
    content = [core.FunctionCall(id=str(i), name=name, arguments=args) for i, (name, args) in enumerate(calls)]
    return models.CreateResult(
        finish_reason="function_calls",
        content=content,
        usage=models.RequestUsage(3, 4),
        cached=False,
        thought="hm",
    )


def remembering() -> Any:
    return memory.ListMemory(memory_contents=[memory.MemoryContent(content="abc", mime_type="text/plain")])


ADD = ("add", '{"a":1,"b":2}')
AGAIN = ("add", '{"a":2,"b":2}')
BOB = ("transfer_to_bob", "{}")
CONVERSATIONS: dict[str, Any] = {
    "text": (["hi"], {}),
    "tools": ([calling(ADD, ("boom", '{"a":1}'))], {"tools": [add, boom]}),
    "unusable calls": ([calling(("add", '{"a":1'), ("nope", "{}"), ("add", '{"a":"q"}'))], {"tools": [add]}),
    "reflection": ([calling(ADD), "it is 3"], {"tools": [add], "reflect_on_tool_use": True}),
    "iterations": ([calling(ADD), calling(AGAIN), "done"], {"tools": [add], "max_tool_iterations": 5}),
    "too few iterations": ([calling(ADD), calling(AGAIN), "done"], {"tools": [add], "max_tool_iterations": 2}),
    "summary format": (
        [calling(ADD)],
        {"tools": [add], "tool_call_summary_format": "{tool_name}({arguments})={result},{is_error}"},
    ),
    "handoff": ([calling(BOB, ADD)], {"tools": [add], "handoffs": ["bob"]}),
    "two handoffs": ([calling(BOB, ("transfer_to_al", "{}"))], {"handoffs": ["bob", "al"]}),
    "stream": (["hi there"], {"model_client_stream": True}),
    "structured": (['{"x":3}'], {"output_content_type": Number}),
    "structured with format": (
        ['{"x":3}'],
        {"output_content_type": Number, "output_content_type_format": "x is {x}"},
    ),
    "structured with tools": ([calling(ADD), '{"x":3}'], {"output_content_type": Number, "tools": [add]}),
    "memory": (["hi"], {"memory": [remembering()]}),
    "no system message": (["hi"], {"system_message": None}),
}


def without(value: Any, *names: str) -> Any:
    if isinstance(value, dict):
        return {key: without(item, *names) for key, item in value.items() if key not in names}
    return [without(item, *names) for item in value] if isinstance(value, list) else value


async def conversation(answers: list[Any], options: dict[str, Any]) -> dict[str, Any]:
    agent = agents.AssistantAgent("a", client(*answers), **options)
    shown: list[Any] = []
    async for item in agent.run_stream(task="t"):
        if isinstance(item, base.TaskResult):
            shown.append([[type(message).__name__ for message in item.messages], item.stop_reason])
        else:
            shown.append(without(dict(item.dump()), "id", "created_at", "full_message_id"))
    return {
        "shown": shown,
        "state": await agent.save_state(),
        "produces": sorted(kind.__name__.partition("[")[0] for kind in agent.produced_message_types),
    }


def components() -> dict[str, Any]:
    told = [models.UserMessage(content="m", source="u")]
    agent = agents.AssistantAgent(
        "a",
        client("x"),
        tools=[add],
        handoffs=["bob", base.Handoff(target="al", message="yours")],
        memory=[remembering()],
        output_content_type=Number,
    )
    made = {
        "assistant": agent,
        "plain assistant": agents.AssistantAgent("a", client("x")),
        "unbounded": contexts.UnboundedChatCompletionContext(told),
        "buffered": contexts.BufferedChatCompletionContext(3, told),
        "head and tail": contexts.HeadAndTailChatCompletionContext(1, 2),
        "token limited": contexts.TokenLimitedChatCompletionContext(client("x"), token_limit=4),
        "store": core.InMemoryStore(),
        "workbench": tools.StaticWorkbench(
            [tools.FunctionTool(add, description="d")], {"add": tools.ToolOverride(name="plus")}
        ),
        "cache": module("ext.models.cache").ChatCompletionCache(client("x"), core.InMemoryStore()),
        "executor": module("ext.code_executors.local").LocalCommandLineCodeExecutor(timeout=9, work_dir="/tmp"),
    }
    made["code tool"] = module("ext.tools.code_execution").PythonCodeExecutionTool(made["executor"])
    made["model"] = module("ext.models.openai").OpenAIChatCompletionClient(
        model="gpt-4", api_key="k", temperature=0.2, timeout=4, base_url="http://x/v1"
    )
    return {name: dumped(component) for name, component in made.items()}


def dumped(component: Any) -> Any:
    return without(component.dump_component().model_dump(mode="json"), "description")


async def main() -> None:
    warnings.simplefilter("ignore")
    result = {
        "conversations": {name: await conversation(*made) for name, made in CONVERSATIONS.items()},
        "components": components(),
        "schema": tools.FunctionTool(add, description="d", strict=True).schema,
    }
    json.dump(result, sys.stdout)


asyncio.run(main())
