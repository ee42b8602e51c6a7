from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI
from PIL import Image as PILImage
from pydantic import BaseModel

from agentopic.core import TRACE_LOGGER_NAME, CancellationToken, ComponentLoader, FunctionCall, Image
from agentopic.core._call_usage import CallUsage
from agentopic.core.models import (
    AssistantMessage,
    CreateResult,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    ModelInfo,
    RequestUsage,
    SystemMessage,
    UserMessage,
)
from agentopic.core.models._recording import _spec
from agentopic.core.tools import FunctionTool
from agentopic.errors import (
    ConfigError,
    ContentRefusedError,
    ContextTooLongError,
    ModelAuthenticationError,
    ModelRefusedError,
    ModelTimeoutError,
    ModelUnavailableError,
    RateLimitedError,
)
from agentopic.ext.models.openai import (
    AzureOpenAIChatCompletionClient,
    BaseOpenAIChatCompletionClient,
    OpenAIChatCompletionClient,
)

HELLO = [UserMessage(content="hello", source="user")]
USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}


class Answer(BaseModel):
    x: int
    y: str | None = None


class Provider:
    """Answers requests from a script and keeps them."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.usage: dict[str, Any] = USAGE
        self.answers: list[httpx2.Response | Exception] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(json.loads(request.content))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def says(self, finish_reason: str = "stop", **message: Any) -> None:
        choice = {"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", **message}}
        self.answers.append(
            httpx2.Response(
                200,
                json={
                    "id": "1",
                    "object": "chat.completion",
                    "created": 1,
                    "model": "m",
                    "choices": [choice],
                    "usage": self.usage,
                },
            )
        )

    def streams(self, *deltas: dict[str, Any], finish_reason: str | None = "stop") -> None:
        choices: list[list[Any]] = [[{"index": 0, "delta": delta, "finish_reason": None}] for delta in deltas]
        if finish_reason:
            choices.append([{"index": 0, "delta": {}, "finish_reason": finish_reason}])
        base = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        chunks = [{**base, "choices": choice} for choice in choices] + [{**base, "choices": [], "usage": USAGE}]
        body = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
        self.answers.append(httpx2.Response(200, headers={"content-type": "text/event-stream"}, text=body))

    def fails(self, status: int, code: str = "x", **headers: str) -> None:
        self.answers.append(
            httpx2.Response(status, headers=headers, json={"error": {"message": "no", "code": code, "type": "t"}})
        )


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
async def make(provider: Provider) -> AsyncIterator[Callable[..., BaseOpenAIChatCompletionClient]]:
    made: list[BaseOpenAIChatCompletionClient] = []

    def client(model: str = "gpt-4o", **options: Any) -> BaseOpenAIChatCompletionClient:
        http = httpx2.AsyncClient(transport=httpx2.MockTransport(provider))
        sdk = AsyncOpenAI(api_key="sk-secret", base_url="http://model.test/v1", http_client=http, max_retries=0)
        create_args = {"model": model, **options.pop("create_args", {})}
        made.append(BaseOpenAIChatCompletionClient(sdk, create_args=create_args, retries=0, **options))
        return made[-1]

    yield client
    for each in made:
        await each.close()


async def test_a_text_answer_comes_with_its_usage(make, provider) -> None:
    provider.says(content="hi")
    client = make()

    result = await client.create(HELLO)

    assert result == CreateResult(finish_reason="stop", content="hi", usage=RequestUsage(5, 2), cached=False)
    assert client.total_usage() == client.actual_usage() == RequestUsage(5, 2)


async def test_input_from_the_providers_cache_is_told_with_a_fresh_answer(make, provider) -> None:
    cached = {**USAGE, "prompt_tokens_details": {"cached_tokens": 4}}
    provider.usage = cached
    provider.says(content="hi")
    client = make()

    result = await client.create(HELLO)
    spec = _spec(client, (HELLO,), {})

    assert spec.usage is not None
    assert spec.usage(result) == CallUsage(input_tokens=5, output_tokens=2, cached_tokens=4)
    assert json.loads(spec.encode(result))["usage"] == {"prompt_tokens": 5, "completion_tokens": 2}


async def test_an_endpoint_is_the_server_and_the_model_and_no_login() -> None:
    login = "user:secret@"
    client = OpenAIChatCompletionClient(
        model="gpt-4o", api_key="sk-x", base_url=f"https://{login}models.example.com:8443/v1/"
    )

    assert client.step_endpoint == "models.example.com:8443/v1/gpt-4o"
    await client.close()


async def test_the_conversation_is_sent_as_the_api_has_it(make, provider) -> None:
    provider.says(content="ok")
    pixel = Image(PILImage.new("RGB", (1, 1)))

    await make(create_args={"temperature": 0.5}).create(
        [
            SystemMessage(content="be kind"),
            UserMessage(content=["look", pixel], source="ann"),
            AssistantMessage(content=[FunctionCall("1", "{}", "f")], source="bot", thought="hm"),
            FunctionExecutionResultMessage(content=[FunctionExecutionResult(content="r", name="f", call_id="1")]),
            AssistantMessage(content="done", source="bot"),
        ],
        extra_create_args={"seed": 7},
    )

    (sent,) = provider.requests
    assert (sent["model"], sent["temperature"], sent["seed"]) == ("gpt-4o", 0.5, 7)
    assert [message["role"] for message in sent["messages"]] == ["system", "user", "assistant", "tool", "assistant"]
    assert [message.get("name") for message in sent["messages"]] == [None, "ann", None, None, None]
    assert [part["type"] for part in sent["messages"][1]["content"]] == ["text", "image_url"]
    assert sent["messages"][2]["content"] == "hm"
    assert sent["messages"][2]["tool_calls"][0]["function"] == {"name": "f", "arguments": "{}"}
    assert sent["messages"][3]["tool_call_id"] == "1"


async def test_sources_can_be_shown_in_the_text_instead_of_the_name(make, provider) -> None:
    provider.says(content="ok")

    await make(add_name_prefixes=True, include_name_in_message=False).create(HELLO)

    assert provider.requests[0]["messages"] == [{"role": "user", "content": "user said:\nhello"}]


async def test_tool_calls_come_back_with_the_text_as_thought(make, provider) -> None:
    def weather(city: str) -> str:
        return city

    call = {"id": "c1", "type": "function", "function": {"name": "wea ther", "arguments": '{"city":"x"}'}}
    provider.says(content="let me look", tool_calls=[call], finish_reason="tool_calls")
    tool = FunctionTool(weather, description="d", strict=True)

    result = await make(create_args={"parallel_tool_calls": False}).create(HELLO, tools=[tool], tool_choice=tool)

    assert result.content == [FunctionCall(id="c1", name="wea_ther", arguments='{"city":"x"}')]
    assert (result.finish_reason, result.thought) == ("function_calls", "let me look")
    (sent,) = provider.requests
    assert sent["tools"][0]["function"]["strict"] is True
    assert sent["tool_choice"] == {"type": "function", "function": {"name": "weather"}}
    assert sent["parallel_tool_calls"] is False


async def test_without_tools_nothing_about_tools_is_sent(make, provider) -> None:
    provider.says(content="ok")

    await make(create_args={"parallel_tool_calls": False}).create(HELLO, tool_choice="none")

    assert not {"tools", "tool_choice", "parallel_tool_calls"} & provider.requests[0].keys()


@pytest.mark.parametrize(("asked", "sent"), [(True, "json_object"), (False, "text")])
async def test_json_is_asked_for(make, provider, asked, sent) -> None:
    provider.says(content="{}")

    await make().create(HELLO, json_output=asked)

    assert provider.requests[0]["response_format"] == {"type": sent}


async def test_a_class_is_asked_for_by_its_strict_schema(make, provider) -> None:
    provider.says(content='{"x":1,"y":null}')

    await make().create(HELLO, json_output=Answer)

    schema = provider.requests[0]["response_format"]["json_schema"]
    assert (schema["name"], schema["strict"]) == ("Answer", True)
    assert schema["schema"]["required"] == ["x", "y"]
    assert schema["schema"]["additionalProperties"] is False


async def test_a_refusal_is_an_error_of_its_own(make, provider) -> None:
    provider.says(content=None, refusal="I will not")

    with pytest.raises(ModelRefusedError, match="I will not"):
        await make().create(HELLO)


async def test_thoughts_are_taken_out_of_the_text_where_the_model_puts_them_there(make, provider) -> None:
    info = ModelInfo(vision=False, function_calling=False, json_output=False, family="r1", structured_output=False)
    provider.says(content="<think>hm</think>\nhi")
    provider.says(content="hi", reasoning_content="hmm")

    inside = await make("r1", model_info=info).create(HELLO)
    beside = await make().create(HELLO)

    assert (inside.content, inside.thought) == ("hi", "hm")
    assert (beside.content, beside.thought) == ("hi", "hmm")


async def test_a_stream_gives_text_as_it_arrives_and_then_the_answer(make, provider) -> None:
    provider.streams({"role": "assistant", "content": ""}, {"content": "a"}, {"content": "b"})

    items = [item async for item in make().create_stream(HELLO)]

    assert items[:-1] == ["a", "b"]
    assert items[-1] == CreateResult(finish_reason="stop", content="ab", usage=RequestUsage(5, 2), cached=False)
    assert provider.requests[0]["stream_options"] == {"include_usage": True}


async def test_tool_calls_of_a_stream_are_put_together(make, provider) -> None:
    def piece(index: int, **call: Any) -> dict[str, Any]:
        return {"tool_calls": [{"index": index, **call}]}

    provider.streams(
        piece(0, id="1", type="function", function={"name": "f", "arguments": '{"a"'}),
        piece(1, id="2", type="function", function={"name": "g", "arguments": "{}"}),
        piece(0, function={"arguments": ":1}"}),
        finish_reason="tool_calls",
    )

    items = [item async for item in make().create_stream(HELLO)]

    (result,) = items
    assert isinstance(result, CreateResult)
    assert result.content == [FunctionCall("1", '{"a":1}', "f"), FunctionCall("2", "{}", "g")]


async def test_a_stream_that_ends_early_is_no_answer(make, provider) -> None:
    provider.streams({"content": "a"}, finish_reason=None)

    with pytest.raises(ModelUnavailableError, match="before the answer was complete"):
        _ = [item async for item in make().create_stream(HELLO)]


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (429, "rate_limit_exceeded", RateLimitedError),
        (429, "insufficient_quota", ModelRefusedError),
        (500, "x", ModelUnavailableError),
        (503, "x", ModelUnavailableError),
        (408, "x", ModelUnavailableError),
        (400, "context_length_exceeded", ContextTooLongError),
        (400, "content_filter", ContentRefusedError),
        (400, "x", ModelRefusedError),
        (401, "x", ModelAuthenticationError),
        (403, "x", ModelAuthenticationError),
        (404, "x", ModelRefusedError),
    ],
)
async def test_a_status_becomes_an_error_that_says_whether_to_retry(make, provider, status, code, error) -> None:
    provider.fails(status, code)
    provider.fails(status, code)

    with pytest.raises(error) as raised:
        await make().create(HELLO)
    with pytest.raises(error):
        _ = [item async for item in make().create_stream(HELLO)]

    assert raised.type is error


@pytest.mark.parametrize(
    ("headers", "seconds"), [({"retry-after": "7"}, 7.0), ({"retry-after-ms": "1500"}, 1.5), ({}, None)]
)
async def test_the_wish_of_a_provider_that_limits_is_kept(make, provider, headers, seconds) -> None:
    provider.fails(429, **headers)

    with pytest.raises(RateLimitedError) as raised:
        await make().create(HELLO)

    assert raised.value.retry_after_seconds == seconds


@pytest.mark.parametrize(
    ("failure", "error"),
    [(httpx2.ReadTimeout("slow"), ModelTimeoutError), (httpx2.ConnectError("refused"), ModelUnavailableError)],
)
async def test_a_broken_connection_is_worth_a_retry(make, provider, failure, error) -> None:
    provider.answers.append(failure)

    with pytest.raises(error) as raised:
        await make().create(HELLO)

    assert raised.value.retryable


async def test_in_a_turn_a_failed_call_is_left_to_the_engine(provider, turns) -> None:
    provider.fails(500)
    http = httpx2.AsyncClient(transport=httpx2.MockTransport(provider))
    sdk = AsyncOpenAI(api_key="k", base_url="http://model.test/v1", http_client=http, max_retries=0)
    client = BaseOpenAIChatCompletionClient(sdk, create_args={"model": "gpt-4o"}, retries=3)

    with turns.attempt(), pytest.raises(ModelUnavailableError):
        await client.create(HELLO)

    assert len(provider.requests) == 1
    await client.close()


async def test_outside_a_turn_a_failed_call_is_repeated(provider) -> None:
    provider.fails(500, **{"retry-after-ms": "1"})
    provider.says(content="hi")
    http = httpx2.AsyncClient(transport=httpx2.MockTransport(provider))
    sdk = AsyncOpenAI(api_key="k", base_url="http://model.test/v1", http_client=http, max_retries=0)
    client = BaseOpenAIChatCompletionClient(sdk, create_args={"model": "gpt-4o"})

    result = await client.create(HELLO)

    assert result.content == "hi"
    await client.close()


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        ({"messages": [UserMessage(content=[Image(PILImage.new("RGB", (1, 1)))], source="u")]}, "images"),
        ({"tools": [{"name": "f"}]}, "tools"),
        ({"json_output": True}, "JSON"),
        ({"json_output": Answer}, "schema"),
        ({"extra_create_args": {"wrong": 1}}, "wrong"),
        ({"messages": [UserMessage(content="x", source="not a name")]}, "cannot be a name"),
    ],
)
async def test_what_the_model_cannot_do_is_refused_before_the_call(make, provider, call, complaint) -> None:
    info = ModelInfo(vision=False, function_calling=False, json_output=False, family="x", structured_output=False)

    with pytest.raises(ValueError, match=complaint):
        await make("m", model_info=info).create(**{"messages": HELLO, **call})

    assert provider.requests == []


async def test_system_messages_are_merged_for_models_that_take_one(make, provider) -> None:
    provider.says(content="ok")
    client = make("gemini-1.5-pro")

    await client.create([SystemMessage(content="a"), SystemMessage(content="b"), *HELLO])

    assert [m["content"] for m in provider.requests[0]["messages"]] == ["a\nb", "hello"]
    with pytest.raises(ValueError, match="stand together"):
        await client.create([SystemMessage(content="a"), *HELLO, SystemMessage(content="b")])


async def test_cancelling_the_token_ends_the_call(make, provider) -> None:
    import asyncio

    provider.says(content="late")
    token = CancellationToken()
    token.cancel()

    with pytest.raises(asyncio.CancelledError):
        await make().create(HELLO, cancellation_token=token)


async def test_tokens_are_counted_without_a_network(make) -> None:
    client = make("gpt-4o")
    long = [UserMessage(content="word " * 1000, source="user")]

    assert 900 < client.count_tokens(long) < 1300
    assert client.count_tokens(long, tools=[{"name": "f", "description": "d"}]) > client.count_tokens(long)
    assert client.remaining_tokens(long) == 128_000 - client.count_tokens(long)


async def test_the_window_of_an_unknown_model_is_not_guessed(make) -> None:
    info = ModelInfo(vision=False, function_calling=False, json_output=False, family="x", structured_output=False)

    with pytest.raises(ValueError, match="token_limit"):
        make("mine", model_info=info).remaining_tokens(HELLO)


def test_an_unknown_model_says_what_to_add() -> None:
    with pytest.raises(ValueError, match="model_info"):
        OpenAIChatCompletionClient(model="mine", api_key="k")


@pytest.mark.parametrize("arguments", [{"api_key": "k"}, {"model": "gpt-4o", "api_key": "k", "n": 2}])
def test_arguments_that_cannot_work_are_refused(arguments: Any) -> None:
    with pytest.raises(ValueError, match=r"model|n$"):
        OpenAIChatCompletionClient(**arguments)


def test_a_missing_key_is_a_configuration_error(monkeypatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        OpenAIChatCompletionClient(model="gpt-4o")


async def test_a_client_is_built_again_from_json_without_its_secrets(monkeypatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-from-environment")
    client = OpenAIChatCompletionClient(
        model="gpt-4o",
        api_key="sk-secret",
        temperature=0.2,
        base_url="http://model.test/v1",
        default_headers={"Authorization": "Bearer sk-secret", "X-Team": "blue"},
    )
    dumped = client.dump_component().model_dump_json()

    loaded = ComponentLoader.load_component(json.loads(dumped), expected=OpenAIChatCompletionClient)

    assert "sk-secret" not in dumped + repr(client) + repr(vars(client)["_given"])
    assert loaded._client.api_key == "sk-from-environment"
    assert loaded.dump_component().config["temperature"] == 0.2
    assert loaded.dump_component().config["default_headers"] == {"X-Team": "blue"}
    await client.close()
    await loaded.close()


async def test_within_a_process_a_dump_keeps_the_key() -> None:
    client = OpenAIChatCompletionClient(model="gpt-4o", api_key="sk-secret")

    loaded = OpenAIChatCompletionClient.load_component(client.dump_component())

    assert loaded._client.api_key == "sk-secret"
    await client.close()
    await loaded.close()


async def test_azure_has_its_own_address_and_credentials(monkeypatch) -> None:
    client = AzureOpenAIChatCompletionClient(
        model="gpt-4o",
        azure_endpoint="https://x.openai.azure.com",
        azure_deployment="mine",
        api_version="2024-06-01",
        azure_ad_token="token-secret",
    )
    dumped = client.dump_component()

    assert "token-secret" not in dumped.model_dump_json()
    assert dumped.config["azure_deployment"] == "mine"
    assert "mine" in str(client._client.base_url)
    assert str(client._client.default_headers["User-Agent"]).startswith("agentopic-python")
    await client.close()


async def test_an_unknown_argument_of_a_client_is_logged_and_dropped(caplog: pytest.LogCaptureFixture) -> None:
    given: dict[str, Any] = {"model": "gpt-4o", "api_key": "k", "cache_seed": 42}

    with caplog.at_level("WARNING", logger=TRACE_LOGGER_NAME):
        client = OpenAIChatCompletionClient(**given)

    assert "cache_seed" in caplog.text
    await client.close()
