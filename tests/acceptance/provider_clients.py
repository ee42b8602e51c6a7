"""The model clients, each against the mock server of llmock that imitates its provider."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llmock.testing import LLMockServer

from agentopic.core.models import ChatCompletionClient
from agentopic.ext.models.anthropic import AnthropicChatCompletionClient
from agentopic.ext.models.gemini import GeminiChatCompletionClient
from agentopic.ext.models.openai import OpenAIChatCompletionClient, OpenAIResponsesChatCompletionClient


def _openai(server: LLMockServer, **options: Any) -> ChatCompletionClient:
    return OpenAIChatCompletionClient(model="gpt-4o", api_key="k", base_url=server.base_url("openai"), **options)


def _responses(server: LLMockServer, **options: Any) -> ChatCompletionClient:
    url = server.base_url("openai")
    return OpenAIResponsesChatCompletionClient(model="gpt-4o", api_key="k", base_url=url, **options)


def _anthropic(server: LLMockServer, **options: Any) -> ChatCompletionClient:
    url = server.base_url("anthropic")
    return AnthropicChatCompletionClient(model="claude-haiku-4-5", api_key="k", base_url=url, **options)


def _gemini(server: LLMockServer, **options: Any) -> ChatCompletionClient:
    url = server.base_url("gemini")
    return GeminiChatCompletionClient(model="gemini-2.5-flash", api_key="k", base_url=url, **options)


MakeClient = Callable[..., ChatCompletionClient]

CLIENTS: dict[str, MakeClient] = {
    "openai": _openai,
    "responses": _responses,
    "anthropic": _anthropic,
    "gemini": _gemini,
}
