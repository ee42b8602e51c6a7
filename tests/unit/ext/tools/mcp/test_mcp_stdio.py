"""Tools of an MCP server over stdio: AutoGen's surface, and a typed error where a server breaks."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp_types import Tool

from agentopic.core import CancellationToken, ComponentLoader
from agentopic.core.models import SystemMessage, UserMessage
from agentopic.core.tools import ImageResultContent, StaticWorkbench, TextResultContent, ToolOverride
from agentopic.core.tools._idempotency import use_idempotency_key
from agentopic.errors import (
    ComponentCommandError,
    McpConnectionError,
    McpError,
    McpTimeoutError,
    McpToolNotFoundError,
)
from agentopic.ext.models.replay import ReplayChatCompletionClient
from agentopic.ext.tools.mcp import (
    IDEMPOTENCY_META_KEY,
    McpSessionActor,
    McpWorkbench,
    StdioMcpToolAdapter,
    StdioServerParams,
    create_mcp_server_session,
    mcp_server_tools,
)

ROUGH = str(Path(__file__).parent / "rough_server.py")


def rough(*how: str, seconds: float = 10) -> StdioServerParams:
    return StdioServerParams(command=sys.executable, args=[ROUGH, *how], read_timeout_seconds=seconds)


async def test_tools_are_listed_over_all_pages_with_their_overrides() -> None:
    overrides = {"add": ToolOverride(name="plus", description="sums")}
    async with McpWorkbench(rough(), tool_overrides=overrides) as workbench:
        tools = await workbench.list_tools()

    assert [tool["name"] for tool in tools][:4] == ["plus", "mixed", "fail", "refuse"]
    assert tools[0] == {
        "name": "plus",
        "description": "sums",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "integer", "description": "first"}, "b": {"type": "integer", "default": 2}},
            "required": ["a"],
            "additionalProperties": False,
        },
    }


async def test_calls_give_results_and_failures_as_results() -> None:
    async with McpWorkbench(rough(), tool_overrides={"add": ToolOverride(name="plus")}) as workbench:
        plus = await workbench.call_tool("plus", {"a": 1})
        failed = await workbench.call_tool("fail", {})
        unknown = await workbench.call_tool("unknown")

    assert (plus.name, plus.to_text(), plus.is_error) == ("plus", "3", False)
    assert (failed.to_text(), failed.is_error) == ("it failed", True)
    assert (unknown.to_text(), unknown.is_error) == ("no such thing", True)


async def test_parts_of_all_kinds_reach_the_model() -> None:
    async with McpWorkbench(rough()) as workbench:
        parts = (await workbench.call_tool("mixed")).result

    assert [type(part) for part in parts] == [
        TextResultContent,
        ImageResultContent,
        TextResultContent,
        TextResultContent,
        TextResultContent,
    ]
    assert parts[2].content == "[image/png that cannot be read]"
    assert json.loads(str(parts[3].content))["resource"]["text"] == "rt"
    assert json.loads(str(parts[4].content))["mimeType"] == "audio/wav"


async def test_prompts_and_resources_are_the_servers() -> None:
    async with McpWorkbench(rough()) as workbench:
        prompts, prompt = await workbench.list_prompts(), await workbench.get_prompt("greet", {"who": "Ann"})
        resources, templates = await workbench.list_resources(), await workbench.list_resource_templates()
        contents = await workbench.read_resource("mem://a")
        initialized = workbench.initialize_result

    assert [each.name for each in prompts.prompts] == ["greet"]
    assert getattr(prompt.messages[0].content, "text", None) == "hi Ann"
    assert (resources.resources[0].name, templates.resource_templates[0].name) == ("a", "t")
    assert getattr(contents.contents[0], "text", None) == "content"
    assert initialized is not None
    assert initialized.server_info.name == "rough"


async def test_a_workbench_starts_at_its_first_use_and_stops_twice() -> None:
    workbench = McpWorkbench(rough())

    result = await workbench.call_tool("add", {"a": 1})
    await workbench.reset()
    again = await workbench.call_tool("add", {"a": 2})
    await workbench.stop()
    await workbench.stop()

    assert (result.to_text(), again.to_text()) == ("3", "4")


async def test_the_idempotency_key_is_in_the_metadata() -> None:
    async with McpWorkbench(rough()) as workbench:
        with use_idempotency_key("key-7"):
            result = await workbench.call_tool("meta")
        plain = await workbench.call_tool("meta")

    assert json.loads(result.to_text())[IDEMPOTENCY_META_KEY] == "key-7"
    assert IDEMPOTENCY_META_KEY not in plain.to_text()


async def test_a_server_that_dies_is_an_error_and_is_started_again() -> None:
    async with McpWorkbench(rough()) as workbench:
        died = await workbench.call_tool("die")
        after = await workbench.call_tool("add", {"a": 1})

    assert died.is_error
    assert "has gone" in died.to_text()
    assert (after.is_error, after.to_text()) == (False, "3")


async def test_a_server_that_hangs_is_an_error() -> None:
    async with McpWorkbench(rough(seconds=1)) as workbench:
        hung = await workbench.call_tool("hang")

    assert hung.is_error
    assert "did not answer within 1 s" in hung.to_text()


async def test_an_answer_too_large_is_an_error() -> None:
    async with McpWorkbench(rough()) as workbench:
        huge = await workbench.call_tool("huge")

    assert huge.is_error
    assert "more than" in huge.to_text()


async def test_garbage_between_messages_is_skipped() -> None:
    async with McpWorkbench(rough("garbage")) as workbench:
        result = await workbench.call_tool("add", {"a": 1})

    assert result.to_text() == "3"


@pytest.mark.parametrize(
    ("params", "error"),
    [
        (StdioServerParams(command="/no/such/program"), McpConnectionError),
        (StdioServerParams(command="true"), McpConnectionError),
        (StdioServerParams(command="sleep", args=["600"], read_timeout_seconds=0.5), McpTimeoutError),
        (StdioServerParams(command="cat", read_timeout_seconds=1), McpConnectionError),
        (StdioServerParams(command="yes", read_timeout_seconds=1), McpConnectionError),
    ],
    ids=["missing", "ends", "silent", "echoes", "floods"],
)
async def test_what_is_no_mcp_server_is_an_error_not_a_hang(params, error) -> None:
    workbench = McpWorkbench(params)

    with pytest.raises(error):
        await workbench.start()
    told = await workbench.call_tool("add", {"a": 1})

    assert told.is_error


async def test_cancelling_ends_the_wait() -> None:
    token = CancellationToken()
    async with McpWorkbench(rough()) as workbench:
        await workbench.start()
        hanging = asyncio.create_task(workbench.call_tool("hang", cancellation_token=token))
        await asyncio.sleep(0)

        token.cancel()

        with pytest.raises(asyncio.CancelledError):
            await hanging


async def test_the_server_ends_with_the_workbench(tmp_path) -> None:
    code = f"import os; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); exec(open({ROUGH!r}).read())"
    workbench = McpWorkbench(StdioServerParams(command=sys.executable, args=["-c", code], read_timeout_seconds=10))

    await workbench.start()
    pid = int((tmp_path / "pid").read_text())
    await workbench.stop()

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_server_has_a_models_text() -> None:
    model = ReplayChatCompletionClient(["hi there"])
    async with McpWorkbench(rough(), model_client=model) as workbench:
        sampled = await workbench.call_tool("sample")

    assert json.loads(sampled.to_text())["text"] == "hi there"
    asked = model.create_calls[0]["messages"]
    assert asked == [SystemMessage(content="be brief"), UserMessage(content="say hi", source="user")]


async def test_tools_can_be_had_one_by_one() -> None:
    add, *others = await mcp_server_tools(rough())

    result = await add.run_json({"a": 1}, CancellationToken())
    fail = next(tool for tool in others if tool.name == "fail")

    assert isinstance(add, StdioMcpToolAdapter)
    assert add.return_value_as_string(result) == '[{"type": "text", "text": "3", "annotations": null}]'
    with pytest.raises(McpError, match="it failed"):
        await fail.run_json({}, CancellationToken())


async def test_a_schema_that_contains_itself_is_taken() -> None:
    tools = {tool.name: tool for tool in await mcp_server_tools(rough())}

    arguments = tools["tree"].args_type().model_validate({"root": {"child": {}}})

    assert arguments.model_dump(exclude_unset=True) == {"root": {"child": {}}}


async def test_a_schema_without_a_class_leaves_the_checking_to_the_server() -> None:
    strange = Tool(name="strange", input_schema={"type": "object", "properties": {"x": {"type": "no such type"}}})

    adapter = StdioMcpToolAdapter(rough(), strange)

    assert adapter.args_type().model_validate({"x": 1}).model_dump() == {"x": 1}


async def test_tools_share_a_session_that_is_given() -> None:
    async with create_mcp_server_session(rough()) as session:
        await session.initialize()
        add = (await mcp_server_tools(rough(), session=session))[0]
        results = [await add.run_json({"a": number}, CancellationToken()) for number in (1, 2)]

    assert [result[0].text for result in results] == ["3", "4"]


async def test_a_dead_server_of_a_tool_is_told_to_the_model() -> None:
    tools = await mcp_server_tools(rough())
    workbench = StaticWorkbench([tool for tool in tools if tool.name == "die"])

    result = await workbench.call_tool("die", {})

    assert result.is_error
    assert "has gone" in result.to_text()


async def test_the_session_actor_answers_as_autogens() -> None:
    actor = McpSessionActor(rough())
    with pytest.raises(McpConnectionError, match="initialize"):
        await actor.call("list_tools")

    await actor.initialize()
    result = await (await actor.call("call_tool", {"name": "add", "kargs": {"a": 1}}))
    contents = await (await actor.call("read_resource", {"name": None, "kargs": {"uri": "mem://a"}}))
    await actor.close()

    assert (result.content[0].text, contents.contents[0].text) == ("3", "content")


async def test_components_come_back_from_their_json() -> None:
    add = (await mcp_server_tools(rough()))[0]
    workbench = McpWorkbench(rough(), tool_overrides={"add": ToolOverride(name="plus")}, on_unknown="retry")

    loaded = ComponentLoader.load_component(add.dump_component(), StdioMcpToolAdapter, allow_commands=True)
    again = ComponentLoader.load_component(workbench.dump_component(), McpWorkbench, allow_commands=True)

    assert loaded.schema == add.schema
    assert again.dump_component() == workbench.dump_component()
    assert (again.on_unknown, await again.save_state()) == ("retry", {"type": "McpWorkBenchState"})


@pytest.mark.parametrize("component", [McpWorkbench, McpSessionActor, StdioMcpToolAdapter])
async def test_a_command_in_json_is_refused_unless_it_is_allowed(component: type[Any]) -> None:
    params = StdioServerParams(command=sys.executable, args=[ROUGH, "canary-argument"])
    tool = Tool(name="add", input_schema={"type": "object", "properties": {}})
    made = component(params, tool) if component is StdioMcpToolAdapter else component(params)

    with pytest.raises(
        ComponentCommandError, match=r"allow_commands=True.*AGENTOPIC_ALLOW_COMPONENT_COMMANDS"
    ) as raised:
        ComponentLoader.load_component(made.dump_component(), object)

    assert raised.value.path == "config"
    assert "canary-argument" not in str(raised.value)


async def test_the_environment_allows_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTOPIC_ALLOW_COMPONENT_COMMANDS", "true")
    dumped = McpWorkbench(rough()).dump_component()

    async with McpWorkbench.load_component(dumped) as workbench:
        result = await workbench.call_tool("add", {"a": 1})

    assert result.to_text() == "3"


async def test_a_single_tool_is_found_by_its_name() -> None:
    add = await StdioMcpToolAdapter.from_server_params(rough(), "add")

    result = await add.run_json({"a": 1}, CancellationToken())

    assert (add.name, result[0].text) == ("add", "3")


async def test_a_tool_that_is_not_offered_is_an_error_with_those_that_are() -> None:
    with pytest.raises(McpToolNotFoundError, match="offers no tool 'nothing', but add, mixed") as raised:
        await StdioMcpToolAdapter.from_server_params(rough(), "nothing")

    assert isinstance(raised.value, ValueError)
