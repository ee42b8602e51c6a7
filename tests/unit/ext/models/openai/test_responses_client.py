from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from agentopic.core.models import (
    AssistantMessage,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    SystemMessage,
    UserMessage,
)
from agentopic.core.tools import FunctionTool
from agentopic.errors import ContentRefusedError, ModelRefusedError, ModelUnavailableError, RateLimitedError
from agentopic.ext.models.openai import OpenAIResponsesChatCompletionClient

HELLO = [UserMessage(content="hello", source="user")]
CALL = {"type": "function_call", "id": "fc", "call_id": "c1", "name": "weather", "arguments": '{"city": "x"}'}
REASONING = {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "hm"}]}


def weather(city: str) -> str:
    return city


WEATHER = FunctionTool(weather, description="the weather")


def message(text: str) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": []}
    return {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [part]}


def response(*output: dict[str, Any], status: str = "completed", **more: Any) -> dict[str, Any]:
    usage = {
        "input_tokens": 5,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 2,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 7,
    }
    base = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "parallel_tool_calls": True}
    return {
        **base,
        "tool_choice": "auto",
        "tools": [],
        "output": output,
        "status": status,
        "usage": usage,
        "error": None,
        **more,
    }


class Provider:
    def __init__(self, *answers: dict[str, Any]) -> None:
        self.sent: list[dict[str, Any]] = []
        self.answers = list(answers)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.sent.append(json.loads(request.content or b"{}"))
        return httpx2.Response(200, json=self.answers.pop(0))


def client_of(provider: Provider, **options: Any) -> OpenAIResponsesChatCompletionClient:
    http = httpx2.AsyncClient(transport=httpx2.MockTransport(provider))
    chosen: dict[str, Any] = {"max_retries": 0, **options}
    return OpenAIResponsesChatCompletionClient(model="gpt-5", api_key="k", http_client=http, **chosen)


async def test_the_conversation_goes_whole_and_nothing_is_stored() -> None:
    provider = Provider(response(REASONING, CALL), response(message("sunny")))
    client = client_of(provider, reasoning={"effort": "low"})

    first = await client.create([SystemMessage(content="be kind"), *HELLO], tools=[WEATHER], tool_choice=WEATHER)
    assert isinstance(first.content, list)
    done = FunctionExecutionResult(content="sunny", name="weather", call_id="c1")
    said = AssistantMessage(content=first.content, source="bot")
    second = await client.create([*HELLO, said, FunctionExecutionResultMessage(content=[done])])

    assert (first.finish_reason, first.thought, second.content) == ("function_calls", "hm", "sunny")
    assert provider.sent[0]["store"] is False
    assert provider.sent[0]["include"] == ["reasoning.encrypted_content"]
    assert provider.sent[0]["tool_choice"] == {"type": "function", "name": "weather"}
    kinds = [item.get("type", item.get("role")) for item in provider.sent[1]["input"]]
    assert kinds == ["user", "reasoning", "function_call", "function_call_output"]
    await client.close()


@pytest.mark.parametrize(
    ("why", "reason"), [("max_output_tokens", "length"), ("content_filter", "content_filter"), ("steered", "unknown")]
)
async def test_an_incomplete_answer_says_why(why: str, reason: str) -> None:
    client = client_of(Provider(response(message("hi"), status="incomplete", incomplete_details={"reason": why})))

    assert (await client.create(HELLO)).finish_reason == reason
    await client.close()


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("server_error", ModelUnavailableError),
        ("rate_limit_exceeded", RateLimitedError),
        ("invalid_prompt", ModelRefusedError),
        ("image_content_policy_violation", ContentRefusedError),
    ],
)
async def test_a_failed_answer_is_an_error_of_its_kind(code: str, error: type[Exception]) -> None:
    client = client_of(Provider(response(status="failed", error={"code": code, "message": "no"})))

    with pytest.raises(error) as raised:
        await client.create(HELLO)

    assert raised.type is error
    await client.close()


async def test_a_later_attempt_waits_for_the_answer_the_first_began(turns: Any) -> None:
    provider = Provider(response(status="queued"), response(message("hi")))
    client = client_of(provider, background=True)
    with turns.attempt():
        first = await client.create(HELLO)
    turns_before = len(provider.sent)

    with turns.attempt():
        again = await client.create(HELLO)

    assert (first.content, again.content) == ("hi", "hi")
    assert (turns_before, len(provider.sent)) == (2, 2)
    assert provider.sent[0]["background"] is True
    assert provider.sent[0]["store"] is True
    await client.close()


async def test_a_stream_in_the_background_gives_its_text_in_one_piece() -> None:
    client = client_of(Provider(response(status="queued"), response(message("hi"))), background=True)

    items = [item async for item in client.create_stream(HELLO)]

    assert items[0] == "hi"
    assert len(items) == 2
    await client.close()


async def test_component_json_comes_back() -> None:
    client = client_of(Provider(), reasoning={"effort": "low"}, background=True)

    dumped = client.dump_component()

    assert dumped.provider == "agentopic.ext.models.openai.OpenAIResponsesChatCompletionClient"
    assert (dumped.config["background"], dumped.config["reasoning"]) == (True, {"effort": "low"})
    await client.close()
