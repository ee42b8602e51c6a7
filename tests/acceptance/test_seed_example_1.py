"""The smallest program users know from AutoGen runs with changed import lines, against a server of someone else."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from llmock.scenarios import Fail, Reply
from llmock.testing import LLMockServer

from agentopic.agentchat.agents import AssistantAgent
from agentopic.agentchat.messages import ToolCallExecutionEvent
from agentopic.core.models import ModelInfo
from agentopic.ext.models.openai import OpenAIChatCompletionClient

EXAMPLE = Path(__file__).parent / "seed_example_1.txt"


@pytest.fixture(scope="module")
def server() -> Iterator[LLMockServer]:
    with LLMockServer() as running:
        yield running


def test_the_example_runs_unchanged_but_for_its_imports(server: LLMockServer) -> None:
    server.state.scenarios.add(Reply("多代理系统由多个协作的代理组成。"))
    environment = {"OPENAI_API_KEY": "test", "OPENAI_BASE_URL": server.base_url("openai"), "PYTHONUTF8": "1"}

    ended = subprocess.run(
        [sys.executable, str(EXAMPLE)], env=environment, capture_output=True, encoding="utf-8", timeout=50, check=False
    )

    assert ended.returncode == 0, ended.stderr
    assert "解释什么是多代理系统" in ended.stdout
    assert "多代理系统由多个协作的代理组成。" in ended.stdout


async def test_a_server_that_fails_at_first_is_asked_again(server: LLMockServer) -> None:
    server.state.scenarios.add(Fail(503, times=2))
    client = OpenAIChatCompletionClient(model="gpt-4", api_key="test", base_url=server.base_url("openai"))

    result = await AssistantAgent("assistant", client).run(task="hello")

    assert result.messages[-1].to_text()
    assert result.messages[-1].models_usage is not None
    await client.close()


@pytest.mark.parametrize("stream", [False, True])
async def test_tools_are_called_through_the_real_protocol(server: LLMockServer, stream: bool) -> None:
    info = ModelInfo(vision=False, function_calling=True, json_output=True, family="x", structured_output=True)
    client = OpenAIChatCompletionClient(
        model="mock", api_key="test", base_url=server.base_url("openai"), model_info=info
    )
    called = asyncio.Event()

    async def weather(city: str) -> str:
        """The weather of a city."""
        called.set()
        return f"sunny in {city}"

    agent = AssistantAgent("assistant", client, tools=[weather], reflect_on_tool_use=True, model_client_stream=stream)
    result = await agent.run(task="What is the weather in Paris?")

    assert called.is_set()
    (event,) = [message for message in result.messages if isinstance(message, ToolCallExecutionEvent)]
    assert event.content[0].content.startswith("sunny in")
    assert result.messages[-1].to_text()
    await client.close()
