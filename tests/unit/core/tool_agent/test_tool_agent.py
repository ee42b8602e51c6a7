from __future__ import annotations

import pytest

from agentopic.core import AgentId, FunctionCall, SingleThreadedAgentRuntime
from agentopic.core.models import CreateResult, FunctionExecutionResultMessage, ModelInfo, RequestUsage, UserMessage
from agentopic.core.tool_agent import (
    InvalidToolArgumentsException,
    ToolAgent,
    ToolExecutionException,
    ToolNotFoundException,
    tool_agent_caller_loop,
)
from agentopic.core.tools import FunctionTool
from agentopic.ext.models.replay import ReplayChatCompletionClient

ABLE = ModelInfo(vision=False, function_calling=True, json_output=True, family="x", structured_output=True)
TOOLS = AgentId("tools", "default")


def half(number: int) -> float:
    return 1 / number / 2


@pytest.fixture
async def runtime():
    runtime = SingleThreadedAgentRuntime()
    await ToolAgent.register(runtime, "tools", lambda: ToolAgent("d", [FunctionTool(half, description="d")]))
    runtime.start()
    yield runtime
    await runtime.stop()


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (FunctionCall("1", "{}", "nope"), ToolNotFoundException),
        (FunctionCall("1", "{", "half"), InvalidToolArgumentsException),
        (FunctionCall("1", '{"number":"x"}', "half"), InvalidToolArgumentsException),
        (FunctionCall("1", '{"number":0}', "half"), ToolExecutionException),
    ],
)
async def test_a_call_that_fails_raises_at_the_caller(runtime, call, error) -> None:
    with pytest.raises(error) as raised:
        await runtime.send_message(call, TOOLS)

    assert raised.value.call_id == "1"


async def test_the_loop_goes_on_until_the_model_answers_in_text(runtime) -> None:
    calls = [FunctionCall("1", '{"number":1}', "half"), FunctionCall("2", '{"number":0}', "half")]
    asked = CreateResult(finish_reason="function_calls", content=calls, usage=RequestUsage(1, 1), cached=False)
    client = ReplayChatCompletionClient([asked, "done"], ABLE)

    messages = await tool_agent_caller_loop(
        runtime, TOOLS, client, [UserMessage(content="q", source="u")], [FunctionTool(half, description="d")]
    )

    assert isinstance(messages[1], FunctionExecutionResultMessage)
    assert [(r.content, r.is_error) for r in messages[1].content] == [
        ("0.5", False),
        ("Error: Error: division by zero", True),
    ]
    assert messages[2].content == "done"
