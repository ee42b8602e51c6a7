from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from agentopic.core import ComponentLoader
from agentopic.core.models import (
    AssistantMessage,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    SystemMessage,
    UserMessage,
)
from agentopic.core.models._types import CachedRequestUsage
from agentopic.core.tools import FunctionTool
from agentopic.errors import ContentRefusedError, ModelAuthenticationError, ModelUnavailableError, RateLimitedError
from agentopic.ext.models.gemini import GeminiChatCompletionClient

HELLO = [UserMessage(content="hello", source="user")]
Make = Callable[..., GeminiChatCompletionClient]


def weather(city: str) -> str:
    return city


WEATHER = FunctionTool(weather, description="the weather")


class Provider:
    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.answers: list[httpx.Response] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(json.loads(request.content))
        return self.answers.pop(0)

    def says(self, *parts: dict[str, Any], finish: str = "STOP", **usage: int) -> None:
        candidate = {"content": {"role": "model", "parts": parts}, "finishReason": finish, "index": 0}
        counted = {"promptTokenCount": 5, "candidatesTokenCount": 2, **usage}
        self.answers.append(httpx.Response(200, json={"candidates": [candidate], "usageMetadata": counted}))


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
async def make(provider: Provider) -> AsyncIterator[Make]:
    made: list[GeminiChatCompletionClient] = []

    def client(**options: Any) -> GeminiChatCompletionClient:
        http = httpx.AsyncClient(transport=httpx.MockTransport(provider))
        chosen: dict[str, Any] = {
            "model": "gemini-2.5-flash",
            "api_key": "AIza-secret-key",
            "max_retries": 0,
            **options,
        }
        made.append(GeminiChatCompletionClient(http_client=http, **chosen))
        return made[-1]

    yield client
    for each in made:
        await each.close()


async def test_instructions_tools_and_the_choice_go_to_their_places(make: Make, provider: Provider) -> None:
    provider.says({"text": "hi"})

    await make(temperature=0.5).create(
        [SystemMessage(content="be kind"), *HELLO], tools=[WEATHER], tool_choice=WEATHER, extra_create_args={"seed": 7}
    )

    (sent,) = provider.sent
    assert sent["systemInstruction"]["parts"] == [{"text": "be kind"}]
    assert (sent["generationConfig"]["temperature"], sent["generationConfig"]["seed"]) == (0.5, 7)
    assert sent["tools"][0]["functionDeclarations"][0]["name"] == "weather"
    assert sent["toolConfig"]["functionCallingConfig"] == {"mode": "ANY", "allowedFunctionNames": ["weather"]}


async def test_signatures_go_back_with_their_calls(make: Make, provider: Provider) -> None:
    call = {"functionCall": {"name": "weather", "args": {"city": "x"}}, "thoughtSignature": "c2lnbmVk"}
    provider.says({"text": "hm", "thought": True}, call)
    provider.says({"text": "sunny"})
    client = make()

    first = await client.create(HELLO, tools=[WEATHER])
    assert isinstance(first.content, list)
    done = FunctionExecutionResult(content="sunny", name="weather", call_id=first.content[0].id, is_error=False)
    said = AssistantMessage(content=first.content, source="bot")
    await client.create([*HELLO, said, FunctionExecutionResultMessage(content=[done])], tools=[WEATHER])

    assert (first.thought, first.finish_reason) == ("hm", "function_calls")
    assert provider.sent[1]["contents"][1]["parts"][0]["thoughtSignature"] == "c2lnbmVk"
    assert provider.sent[1]["contents"][2]["parts"][0]["functionResponse"]["response"] == {"output": "sunny"}


async def test_thoughts_are_billed_as_output(make: Make, provider: Provider) -> None:
    provider.says({"text": "hi"}, thoughtsTokenCount=10, cachedContentTokenCount=3)

    result = await make().create(HELLO)

    assert result.usage == CachedRequestUsage(prompt_tokens=5, completion_tokens=12, cached_tokens=3)


@pytest.mark.parametrize(
    ("word", "reason"), [("STOP", "stop"), ("MAX_TOKENS", "length"), ("SAFETY", "content_filter"), ("OTHER", "unknown")]
)
async def test_finish_reasons_are_the_same_for_all_providers(
    make: Make, provider: Provider, word: str, reason: str
) -> None:
    provider.says({"text": "hi"}, finish=word)

    assert (await make().create(HELLO)).finish_reason == reason


async def test_what_is_filtered_is_an_error(make: Make, provider: Provider) -> None:
    provider.says(finish="SAFETY")
    provider.answers.append(httpx.Response(200, json={"promptFeedback": {"blockReason": "SAFETY"}}))

    for _ in range(2):
        with pytest.raises(ContentRefusedError, match="SAFETY"):
            await make().create(HELLO)


async def test_what_cannot_be_read_may_be_asked_again(make: Make, provider: Provider) -> None:
    provider.says(finish="MALFORMED_FUNCTION_CALL")
    provider.answers.append(httpx.Response(200, json={}))

    for _ in range(2):
        with pytest.raises(ModelUnavailableError):
            await make().create(HELLO)


async def test_a_wrong_key_and_a_wish_for_a_pause_are_understood(make: Make, provider: Provider) -> None:
    wrong = {"error": {"code": 400, "status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}}
    later = {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "details": [{"retryDelay": "12s"}]}}
    provider.answers += [httpx.Response(400, json=wrong), httpx.Response(429, json=later)]

    with pytest.raises(ModelAuthenticationError):
        await make().create(HELLO)
    with pytest.raises(RateLimitedError) as raised:
        await make().create(HELLO)

    assert raised.value.retry_after_seconds == 12


async def test_component_json_is_loaded_again_and_holds_no_key(make: Make) -> None:
    dumped = make(temperature=0.3, thinking_config={"include_thoughts": True}).dump_component()
    shown = dumped.model_dump_json()
    stated = {**json.loads(shown), "config": {**json.loads(shown)["config"], "api_key": "other"}}

    loaded = ComponentLoader.load_component(stated, GeminiChatCompletionClient)

    assert "AIza-secret-key" not in shown
    assert loaded.dump_component().config["temperature"] == 0.3
    await loaded.close()
