from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest
from pydantic import BaseModel

from agentopic.core import ComponentLoader, FunctionCall
from agentopic.core.models import (
    AssistantMessage,
    CreateResult,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    ModelFamily,
    RequestUsage,
    SystemMessage,
    UserMessage,
)
from agentopic.core.models._types import CachedRequestUsage
from agentopic.core.tools import FunctionTool
from agentopic.errors import ContentRefusedError, MissingExtraError, ModelUnavailableError, RateLimitedError
from agentopic.ext.models.anthropic import (
    AnthropicBedrockChatCompletionClient,
    AnthropicChatCompletionClient,
    BedrockInfo,
)
from agentopic.ext.models.anthropic._model_table import plain_name

HELLO = [UserMessage(content="hello", source="user")]
Make = Callable[..., AnthropicChatCompletionClient]


class Answer(BaseModel):
    number: int


def weather(city: str) -> str:
    return city


WEATHER = FunctionTool(weather, description="the weather")


class Provider:
    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.answers: list[httpx2.Response] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.sent.append(json.loads(request.content))
        return self.answers.pop(0)

    def says(self, *content: dict[str, Any], stop: str = "end_turn", **usage: int) -> None:
        counted = {"input_tokens": 5, "output_tokens": 2, **usage}
        body = {"id": "m", "type": "message", "role": "assistant", "model": "c", "content": content}
        self.answers.append(
            httpx2.Response(200, json={**body, "stop_reason": stop, "stop_sequence": None, "usage": counted})
        )

    def streams(self, *events: dict[str, Any]) -> None:
        usage = {"input_tokens": 5, "output_tokens": 1}
        message = {"id": "m", "type": "message", "role": "assistant", "model": "c", "content": [], "usage": usage}
        whole = [{"type": "message_start", "message": {**message, "stop_reason": None, "stop_sequence": None}}, *events]
        body = "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in whole)
        self.answers.append(httpx2.Response(200, headers={"content-type": "text/event-stream"}, text=body))


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def tool_use(number: str, name: str = "weather") -> dict[str, Any]:
    return {"type": "tool_use", "id": number, "name": name, "input": {"city": "x"}}


def block(index: int, begun: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": begun},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def end(reason: str) -> list[dict[str, Any]]:
    delta = {"stop_reason": reason, "stop_sequence": None}
    return [{"type": "message_delta", "delta": delta, "usage": {"output_tokens": 7}}, {"type": "message_stop"}]


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
async def make(provider: Provider) -> AsyncIterator[Make]:
    made: list[AnthropicChatCompletionClient] = []

    def client(**options: Any) -> AnthropicChatCompletionClient:
        http = httpx2.AsyncClient(transport=httpx2.MockTransport(provider))
        chosen: dict[str, Any] = {
            "model": "claude-haiku-4-5",
            "api_key": "sk-ant-secret-key",
            "max_retries": 0,
            **options,
        }
        made.append(AnthropicChatCompletionClient(http_client=http, **chosen))
        return made[-1]

    yield client
    for each in made:
        await each.close()


async def test_instructions_go_apart_and_a_temperature_of_one_is_not_told(make: Make, provider: Provider) -> None:
    provider.says(text("hi"))

    await make(temperature=1.0, top_k=4).create([SystemMessage(content="a"), SystemMessage(content="b"), *HELLO])

    (sent,) = provider.sent
    assert sent["system"] == "a\nb"
    assert sent["messages"] == [{"role": "user", "content": "hello"}]
    assert (sent["max_tokens"], sent["top_k"]) == (4096, 4)
    assert "temperature" not in sent


async def test_a_failed_tool_is_shown_as_failed(make: Make, provider: Provider) -> None:
    provider.says(text("hi"))
    failed = FunctionExecutionResult(content="broken", name="weather", call_id="1", is_error=True)

    await make().create(
        [
            *HELLO,
            AssistantMessage(content=[FunctionCall("1", "not json", "weather")], source="bot"),
            FunctionExecutionResultMessage(content=[failed]),
        ],
        tools=[WEATHER],
        tool_choice="required",
    )

    (sent,) = provider.sent
    assert sent["messages"][1]["content"][0]["input"] == {"text": "not json"}
    assert sent["messages"][2]["content"][0]["is_error"] is True
    assert sent["tool_choice"] == {"type": "any"}


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "content_filter"),
        ("something_new", "unknown"),
    ],
)
async def test_finish_reasons_are_the_same_for_all_providers(
    make: Make, provider: Provider, word: str, reason: str
) -> None:
    provider.says(text("hi"), stop=word)

    assert (await make().create(HELLO)).finish_reason == reason


async def test_a_refusal_without_words_is_an_error(make: Make, provider: Provider) -> None:
    provider.says(stop="refusal")

    with pytest.raises(ContentRefusedError):
        await make().create(HELLO)


async def test_input_from_the_cache_counts_as_input(make: Make, provider: Provider) -> None:
    provider.says(text("hi"), cache_read_input_tokens=3, cache_creation_input_tokens=4)

    result = await make().create(HELLO)

    assert result.usage == CachedRequestUsage(prompt_tokens=12, completion_tokens=2, cached_tokens=3)


async def test_signed_thinking_goes_back_with_the_tool_call_it_led_to(make: Make, provider: Provider) -> None:
    thinking = {"type": "thinking", "thinking": "hm", "signature": "signed"}
    provider.says(thinking, text("let me look"), tool_use("t1"), stop="tool_use")
    provider.says(text("sunny"))
    client = make(thinking={"type": "enabled", "budget_tokens": 2000})

    first = await client.create(HELLO, tools=[WEATHER])
    assert isinstance(first.content, list)
    done = FunctionExecutionResult(content="sunny", name="weather", call_id="t1")
    said = AssistantMessage(content=first.content, thought=first.thought, source="bot")
    await client.create([*HELLO, said, FunctionExecutionResultMessage(content=[done])], tools=[WEATHER])

    assert (first.thought, first.finish_reason) == ("hm", "function_calls")
    blocks = provider.sent[1]["messages"][1]["content"]
    assert blocks[0] == thinking
    assert [each["type"] for each in blocks] == ["thinking", "text", "tool_use"]


async def test_a_stream_shows_thought_and_text_and_puts_calls_together(make: Make, provider: Provider) -> None:
    provider.streams(
        *block(0, {"type": "thinking", "thinking": "", "signature": ""}, {"type": "thinking_delta", "thinking": "hm"}),
        *block(1, text(""), {"type": "text_delta", "text": "a"}, {"type": "text_delta", "text": "b"}),
        *block(
            2,
            {**tool_use("t1"), "input": {}},
            {"type": "input_json_delta", "partial_json": '{"ci'},
            {"type": "input_json_delta", "partial_json": 'ty":"x"}'},
        ),
        *block(3, {**tool_use("t2", "other"), "input": {}}),
        *end("tool_use"),
    )

    items = [item async for item in make().create_stream(HELLO, tools=[WEATHER])]

    assert items[:-1] == ["hm", "a", "b"]
    assert isinstance(items[-1], CreateResult)
    assert items[-1].content == [FunctionCall("t1", '{"city": "x"}', "weather"), FunctionCall("t2", "{}", "other")]
    assert (items[-1].thought, items[-1].usage) == ("hm", RequestUsage(5, 7))


async def test_a_stream_without_its_last_event_is_no_answer(make: Make, provider: Provider) -> None:
    provider.streams(*block(0, text(""), {"type": "text_delta", "text": "a"}), *end("end_turn")[:1])

    with pytest.raises(ModelUnavailableError, match="before the answer was complete"):
        _ = [item async for item in make().create_stream(HELLO)]


@pytest.mark.parametrize(
    ("kind", "error"), [("overloaded_error", ModelUnavailableError), ("rate_limit_error", RateLimitedError)]
)
async def test_an_error_inside_a_stream_is_told_by_its_kind(
    make: Make, provider: Provider, kind: str, error: type[Exception]
) -> None:
    provider.streams({"type": "error", "error": {"type": kind, "message": "later"}})

    with pytest.raises(error) as raised:
        _ = [item async for item in make().create_stream(HELLO)]

    assert raised.type is error


async def test_a_model_that_can_is_held_to_a_schema(make: Make, provider: Provider) -> None:
    provider.says(text('{"number": 1}'))

    await make().create(HELLO, json_output=Answer)

    shown = provider.sent[0]["output_config"]["format"]
    assert shown["type"] == "json_schema"
    assert shown["schema"]["properties"]["number"]["type"] == "integer"


async def test_json_is_asked_for_in_words_since_the_api_has_no_mode_for_it(make: Make, provider: Provider) -> None:
    provider.says(text("{}"))

    await make().create([SystemMessage(content="be kind"), *HELLO], json_output=True)

    assert provider.sent[0]["system"].startswith("be kind\n")
    assert "JSON" in provider.sent[0]["system"]


async def test_component_json_is_autogens_and_holds_no_key(make: Make) -> None:
    dumped = make(temperature=0.3).dump_component()

    shown = json.loads(dumped.model_dump_json())
    assert shown["provider"] == "autogen_ext.models.anthropic.AnthropicChatCompletionClient"
    assert (shown["config"]["max_tokens"], shown["config"]["temperature"]) == (4096, 0.3)
    assert "sk-ant-secret-key" not in dumped.model_dump_json()


async def test_component_json_of_autogen_is_loaded() -> None:
    dumped = {
        "provider": "autogen_ext.models.anthropic.AnthropicChatCompletionClient",
        "config": {"model": "claude-3-7-sonnet-20250219", "api_key": "k", "max_tokens": 9},
    }

    client = ComponentLoader.load_component(dumped, AnthropicChatCompletionClient)

    assert client.model_info["family"] == ModelFamily.CLAUDE_3_7_SONNET
    assert client.remaining_tokens(HELLO) > 190_000
    await client.close()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [({}, "'model' is required"), ({"model": "zz", "api_key": "k"}, "not known: add model_info")],
)
def test_what_is_missing_is_named(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        AnthropicChatCompletionClient(**options)


@pytest.mark.parametrize(
    "name", ["anthropic.claude-3-haiku-20240307-v1:0", "eu.anthropic.claude-3-haiku-20240307-v1:0"]
)
def test_a_model_on_bedrock_is_known_by_its_plain_name(name: str) -> None:
    assert plain_name(name) == "claude-3-haiku-20240307"


def test_bedrock_names_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentopic.ext.models.anthropic._bedrock_client.find_spec", lambda _name: None)
    info = BedrockInfo(aws_access_key="a", aws_secret_key="b", aws_session_token="c", aws_region="eu-west-1")

    with pytest.raises(MissingExtraError, match=r"agentopic\[bedrock\]"):
        AnthropicBedrockChatCompletionClient(model="anthropic.claude-3-haiku-20240307-v1:0", bedrock_info=info)
