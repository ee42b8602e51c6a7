from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from agentopic.core import ComponentLoader, FunctionCall
from agentopic.core.models import (
    AssistantMessage,
    ChatCompletionClient,
    CreateResult,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    RequestUsage,
    UserMessage,
)
from agentopic.core.tools import FunctionTool
from agentopic.errors import ComponentError, ModelError, ModelRefusedError, ModelTimeoutError, ModelUnavailableError
from agentopic.ext.models.ollama import OllamaChatCompletionClient

HELLO = [UserMessage(content="hello", source="user")]
Make = Callable[..., OllamaChatCompletionClient]


class Answer(BaseModel):
    number: int


def weather(city: str, days: int | None = None) -> str:
    return f"{city} {days}"


WEATHER = FunctionTool(weather, description="the weather")


class Provider:
    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.answers: list[httpx.Response | Exception] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(json.loads(request.content))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, content=answer.content, headers=answer.headers)

    def says(self, reason: str = "stop", **message: Any) -> None:
        self.answers.append(httpx.Response(200, json=part(done_reason=reason, done=True, **message)))

    def streams(self, *parts: dict[str, Any] | str) -> None:
        lines = [each if isinstance(each, str) else json.dumps(each) for each in parts]
        self.answers.append(httpx.Response(200, text="\n".join(lines) + "\n"))


def part(*, done: bool = False, done_reason: str | None = None, **message: Any) -> dict[str, Any]:
    said = {"model": "m", "done": done, "message": {"role": "assistant", "content": "", **message}}
    return {**said, "done_reason": done_reason, "prompt_eval_count": 5, "eval_count": 2} if done else said


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
async def make(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    made: list[ChatCompletionClient] = []

    def client(model: str = "llama3.2:3b", **options: Any) -> OllamaChatCompletionClient:
        transport = httpx.MockTransport(provider)
        created = OllamaChatCompletionClient(model=model, host="http://ollama.test", transport=transport, **options)
        monkeypatch.setattr(created, "_retries", 0)
        made.append(created)
        return created

    yield client
    for each in made:
        await each.close()


async def test_tools_are_described_by_what_the_api_knows(make: Make, provider: Provider) -> None:
    provider.says(content="hi")

    await make(options={"temperature": 0.5}).create(HELLO, tools=[WEATHER], extra_create_args={"options": {"seed": 7}})

    (sent,) = provider.sent
    properties = sent["tools"][0]["function"]["parameters"]["properties"]
    assert properties["days"]["type"] == "integer"
    assert sent["options"] == {"temperature": 0.5, "seed": 7}


@pytest.mark.parametrize(("choice", "offered"), [("none", 0), ("auto", 1), ("required", 1), (WEATHER, 1)])
async def test_a_choice_among_tools_is_what_is_offered(
    make: Make, provider: Provider, choice: Any, offered: int
) -> None:
    provider.says(content="hi")

    await make().create(HELLO, tools=[WEATHER], tool_choice=choice)

    assert len(provider.sent[0].get("tools", [])) == offered


async def test_tool_calls_have_ids_of_their_own(make: Make, provider: Provider) -> None:
    call = {"function": {"name": "weather", "arguments": {"city": "x"}}}
    provider.says(content="so", tool_calls=[call, call])

    result = await make().create(HELLO, tools=[WEATHER])

    assert isinstance(result.content, list)
    assert len({each.id for each in result.content}) == 2
    assert (result.finish_reason, result.thought) == ("function_calls", "so")


async def test_results_are_sent_with_the_tools_name(make: Make, provider: Provider) -> None:
    provider.says(content="hi")
    done = FunctionExecutionResult(content="sunny", name="weather", call_id="1")

    await make().create(
        [
            *HELLO,
            AssistantMessage(content=[FunctionCall("1", "[1]", "weather")], source="bot"),
            FunctionExecutionResultMessage(content=[done]),
        ]
    )

    assert provider.sent[0]["messages"][1]["tool_calls"][0]["function"]["arguments"] == {"value": [1]}
    assert provider.sent[0]["messages"][2] == {"role": "tool", "content": "sunny", "tool_name": "weather"}


async def test_a_stream_gives_text_and_keeps_the_thought(make: Make, provider: Provider) -> None:
    provider.streams(part(thinking="hm"), part(content="a"), part(content="b"), part(done=True, done_reason="length"))

    items = [item async for item in make().create_stream(HELLO)]

    expected = CreateResult(finish_reason="length", content="ab", usage=RequestUsage(5, 2), cached=False, thought="hm")
    assert items == ["a", "b", expected]


@pytest.mark.parametrize(("asked", "sent"), [(True, "json"), (False, None), (Answer, Answer.model_json_schema())])
async def test_json_is_asked_for(make: Make, provider: Provider, asked: Any, sent: Any) -> None:
    provider.says(content="{}")

    await make().create(HELLO, json_output=asked)

    assert provider.sent[0].get("format") == sent


FAULTS: dict[str, tuple[httpx.Response | Exception, type[ModelError]]] = {
    "no such model": (httpx.Response(404, json={"error": "model not found"}), ModelRefusedError),
    "busy": (httpx.Response(503, json={"error": "busy"}), ModelUnavailableError),
    "refused": (httpx.ConnectError("refused"), ModelUnavailableError),
    "slow": (httpx.ReadTimeout("slow"), ModelTimeoutError),
    "cut off": (httpx.RemoteProtocolError("cut off"), ModelUnavailableError),
    "a page": (httpx.Response(200, text="<html>busy</html>"), ModelUnavailableError),
    "other JSON": (httpx.Response(200, json={"a": 1}), ModelUnavailableError),
    "a list": (httpx.Response(200, json=[1]), ModelUnavailableError),
    "nothing": (httpx.Response(200, text=""), ModelUnavailableError),
    "only loaded": (httpx.Response(200, json=part(done=True, done_reason="load")), ModelUnavailableError),
    "not done": (httpx.Response(200, json=part(content="a")), ModelUnavailableError),
    "an error in the answer": (httpx.Response(200, text='{"error": "out of memory"}\n'), ModelUnavailableError),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_is_no_answer_is_an_error_of_ours(make: Make, provider: Provider, fault: str) -> None:
    answer, error = FAULTS[fault]
    provider.answers.append(answer)

    with pytest.raises(error) as whole:
        await make().create(HELLO)
    with pytest.raises(error) as pieces:
        _ = [item async for item in make().create_stream(HELLO)]

    assert whole.type is pieces.type is error


async def test_a_broken_line_of_a_stream_is_an_error(make: Make, provider: Provider) -> None:
    provider.streams(part(content="a"), '{"model": "m", "mess')

    with pytest.raises(ModelUnavailableError):
        _ = [item async for item in make().create_stream(HELLO)]


async def test_component_json_is_autogens(make: Make) -> None:
    dumped = make(model="llama3.2", options={"temperature": 0.3}, headers={"Authorization": "Bearer secret-token"})
    shown = dumped.dump_component()

    loaded = ComponentLoader.load_component(shown, OllamaChatCompletionClient)

    assert shown.provider == "autogen_ext.models.ollama.OllamaChatCompletionClient"
    assert "secret-token" not in shown.model_dump_json()
    assert loaded.remaining_tokens(HELLO) > 100_000
    await loaded.close()


async def test_a_class_cannot_be_written_as_json(make: Make) -> None:
    with pytest.raises(ComponentError, match="response_format"):
        make(response_format=Answer).dump_component()
