"""A process that dies around a model call: whatever the provider, what was recorded is not asked for again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import httpx2
import pytest
from pydantic import BaseModel

from agentopic import AgentService
from agentopic.core import MessageContext, RoutedAgent, TopicId, TypeSubscription, event, payload
from agentopic.core.models import ChatCompletionClient, CreateResult, UserMessage
from agentopic.ext.models.anthropic import AnthropicChatCompletionClient
from agentopic.ext.models.anthropic._chat_client import BaseAnthropicChatCompletionClient
from agentopic.ext.models.cache import ChatCompletionCache
from agentopic.ext.models.gemini import GeminiChatCompletionClient
from agentopic.ext.models.ollama import OllamaChatCompletionClient
from agentopic.ext.models.openai import OpenAIChatCompletionClient, OpenAIResponsesChatCompletionClient
from agentopic.testing import Aftermath, crash_everywhere

USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "model": "gpt-4o",
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
}
SAID: dict[str, Any] = {
    "type": "message",
    "id": "m",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "hi", "annotations": []}],
}


@payload("durable.Question.v1")
class Question(BaseModel):
    text: str


class Asker(RoutedAgent):
    """Asks twice, whole and streamed, and tells what it heard."""

    def __init__(self, client: ChatCompletionClient) -> None:
        super().__init__("asks")
        self._client = client

    @event
    async def on_question(self, message: Question, ctx: MessageContext) -> None:
        first = await self._client.create([UserMessage(content=message.text, source="user")])
        again = [UserMessage(content=f"{message.text} again", source="user")]
        said = [item async for item in self._client.create_stream(again)]
        assert isinstance(said[-1], CreateResult)
        text = f"{first.content} {said[-1].content}"
        await self.publish_message(Question(text=text), TopicId("heard", self.id.key))


class Provider:
    """Answers in the form of each provider and counts the questions it is asked."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()

    def __call__(self, path: str, body: dict[str, Any]) -> tuple[str, bytes]:
        if path.endswith("/responses/resp_1"):
            return _json({**RESPONSE, "status": "completed", "output": [SAID]})
        self.asked["again" if "again" in json.dumps(body) else "first"] += 1
        streams = bool(body.get("stream")) or "streamGenerateContent" in path
        if "chat/completions" in path:
            return _chat(streams)
        if path.endswith("/responses"):
            return _responses(streams, background=bool(body.get("background")))
        if path.endswith("/messages"):
            return _messages(streams)
        return _ollama(streams) if path.endswith("/api/chat") else _gemini(streams)

    def httpx2(self) -> httpx2.AsyncClient:
        def handle(request: httpx2.Request) -> httpx2.Response:
            kind, content = self(request.url.path, json.loads(request.content or b"{}"))
            return httpx2.Response(200, headers={"content-type": kind}, content=content)

        return httpx2.AsyncClient(transport=httpx2.MockTransport(handle))

    def httpx(self) -> httpx.MockTransport:
        def handle(request: httpx.Request) -> httpx.Response:
            kind, content = self(request.url.path, json.loads(request.content or b"{}"))
            return httpx.Response(200, headers={"content-type": kind}, content=content)

        return httpx.MockTransport(handle)


def _json(body: Any) -> tuple[str, bytes]:
    return "application/json", json.dumps(body).encode()


def _events(*events: dict[str, Any], end: str = "") -> tuple[str, bytes]:
    lines = [f"event: {e.get('type')}\n" * ("type" in e) + f"data: {json.dumps(e)}\n\n" for e in events]
    return "text/event-stream", ("".join(lines) + end).encode()


def _chat(streams: bool) -> tuple[str, bytes]:
    base = {"id": "1", "created": 1, "model": "m", "usage": USAGE}
    message = {"role": "assistant", "content": "hi"}
    choice = {"index": 0, "finish_reason": "stop", "delta" if streams else "message": message}
    whole = {**base, "object": "chat.completion.chunk" if streams else "chat.completion", "choices": [choice]}
    return _events(whole, end="data: [DONE]\n\n") if streams else _json(whole)


def _responses(streams: bool, *, background: bool) -> tuple[str, bytes]:
    if background:
        return _json({**RESPONSE, "status": "queued", "output": []})
    done = {**RESPONSE, "status": "completed", "output": [SAID]}
    return _events({"type": "response.completed", "response": done, "sequence_number": 1}) if streams else _json(done)


def _messages(streams: bool) -> tuple[str, bytes]:
    usage = {"input_tokens": 1, "output_tokens": 1}
    message = {"id": "m", "type": "message", "role": "assistant", "model": "c", "content": [], "usage": usage}
    text = {"type": "text", "text": "hi"}
    if not streams:
        return _json({**message, "content": [text], "stop_reason": "end_turn", "stop_sequence": None})
    return _events(
        {"type": "message_start", "message": {**message, "stop_reason": None, "stop_sequence": None}},
        {"type": "content_block_start", "index": 0, "content_block": text},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": usage},
        {"type": "message_stop"},
    )


def _gemini(streams: bool) -> tuple[str, bytes]:
    candidate = {"content": {"role": "model", "parts": [{"text": "hi"}]}, "finishReason": "STOP", "index": 0}
    whole = {"candidates": [candidate], "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1}}
    return _events(whole) if streams else _json(whole)


def _ollama(streams: bool) -> tuple[str, bytes]:
    message = {"role": "assistant", "content": "hi"}
    whole = {"model": "m", "done": True, "done_reason": "stop", "message": message}
    return _json({**whole, "prompt_eval_count": 1, "eval_count": 1})


def _openai_client(provider: Provider) -> ChatCompletionClient:
    return OpenAIChatCompletionClient(model="gpt-4o", api_key="k", http_client=provider.httpx2())


def _responses_client(provider: Provider, **options: Any) -> ChatCompletionClient:
    return OpenAIResponsesChatCompletionClient(model="gpt-4o", api_key="k", http_client=provider.httpx2(), **options)


def _anthropic_client(provider: Provider) -> BaseAnthropicChatCompletionClient:
    return AnthropicChatCompletionClient(model="claude-haiku-4-5", api_key="k", http_client=provider.httpx2())


def _gemini_client(provider: Provider) -> ChatCompletionClient:
    return GeminiChatCompletionClient(model="gemini-2.5-flash", api_key="k", http_client=provider.httpx2())


def _ollama_client(provider: Provider) -> ChatCompletionClient:
    return OllamaChatCompletionClient(model="llama3.2", host="http://ollama.test", transport=provider.httpx())


MAKERS: dict[str, Callable[[Provider], ChatCompletionClient]] = {
    "openai": _openai_client,
    "responses": _responses_client,
    "responses in the background": lambda provider: _responses_client(provider, background=True),
    "anthropic": _anthropic_client,
    "gemini": _gemini_client,
    "ollama": _ollama_client,
    "a cache before openai": lambda provider: ChatCompletionCache(_openai_client(provider)),
}


@pytest.mark.parametrize("name", MAKERS)
def test_a_kill_at_any_point_asks_at_most_once_more_and_never_for_what_was_recorded(name: str) -> None:
    provider = Provider()

    def made() -> Asker:
        return Asker(MAKERS[name](provider))

    def check(after: Aftermath) -> None:
        # One call may have been under way at the kill; two are never made anew, since the first was recorded by then.
        assert sum(provider.asked.values()) <= 3
        assert {*provider.asked} == {"first", "again"}

    app = AgentService(
        "asker", made, subscriptions=[TypeSubscription("asked", "asker")], publishes={"heard": Question}, stateless=True
    )

    points = crash_everywhere(
        app, [(Question(text="hello"), TopicId("asked", "ann"))], check, reset=provider.asked.clear
    )

    assert len(points) > 10
