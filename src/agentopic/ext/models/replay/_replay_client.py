"""`ReplayChatCompletionClient`: a model for tests and demonstrations that answers from a script."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Final, Literal, Self

from pydantic import BaseModel

from agentopic.core import CancellationToken, Component
from agentopic.core.models import (
    ChatCompletionClient,
    CreateResult,
    LLMMessage,
    ModelCapabilities,
    ModelFamily,
    ModelInfo,
    RequestUsage,
    validate_model_info,
)
from agentopic.core.tools import Tool, ToolSchema

_WINDOW = 10_000
_WORDS: Final = re.compile(r"\s*\S+\s*|\s+")


class ReplayChatCompletionClientConfig(BaseModel):
    """Config of ReplayChatCompletionClient."""

    chat_completions: Sequence[str | CreateResult]
    model_info: ModelInfo | None = None


class ReplayChatCompletionClient(ChatCompletionClient, Component[ReplayChatCompletionClientConfig]):
    """Gives the scripted answers one after the other; ValueError when there are no more.

    A text is given as a whole answer with usage counted in words; a CreateResult as it is. `create_calls` holds
    the arguments of all calls of `create`.
    """

    component_type = "replay_chat_completion_client"
    component_provider_override = "autogen_ext.models.replay.ReplayChatCompletionClient"
    component_config_schema = ReplayChatCompletionClientConfig

    def __init__(self, chat_completions: Sequence[str | CreateResult], model_info: ModelInfo | None = None) -> None:
        self.chat_completions = list(chat_completions)
        self.provided_message_count = len(self.chat_completions)
        self._model_info = model_info or ModelInfo(
            vision=False,
            function_calling=False,
            json_output=False,
            family=ModelFamily.UNKNOWN,
            structured_output=False,
        )
        validate_model_info(self._model_info)
        self._cached = True
        self._next = 0
        self._last_usage = RequestUsage(prompt_tokens=0, completion_tokens=0)
        self._total = RequestUsage(prompt_tokens=0, completion_tokens=0)
        self._create_calls: list[dict[str, Any]] = []

    @property
    def create_calls(self) -> list[dict[str, Any]]:
        """The arguments of each call of `create`."""
        return self._create_calls

    async def create(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = [],
        tool_choice: Tool | Literal["auto", "required", "none"] = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> CreateResult:
        """The next scripted answer; `tool_choice` has no influence on it."""
        result = self._answer(messages)
        self._create_calls.append(
            {
                "messages": messages,
                "tools": tools,
                "json_output": json_output,
                "extra_create_args": extra_create_args,
                "cancellation_token": cancellation_token,
            }
        )
        return result

    async def create_stream(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = [],
        tool_choice: Tool | Literal["auto", "required", "none"] = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> AsyncGenerator[str | CreateResult, None]:
        """The next scripted answer, a text word by word."""
        scripted_text = isinstance(self._peek(), str)
        result = self._answer(messages)
        if scripted_text and isinstance(result.content, str):
            for word in _WORDS.findall(result.content):
                yield word
        yield result

    async def close(self) -> None:
        """Nothing to give back."""

    def actual_usage(self) -> RequestUsage:
        """The usage of the last answer."""
        return self._last_usage

    def total_usage(self) -> RequestUsage:
        """The usage of all answers."""
        return self._total

    def count_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = []) -> int:
        """The words of all messages; anything but text counts nothing."""
        return sum(len(m.content.split()) for m in messages if isinstance(m.content, str))

    def remaining_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = []) -> int:
        """What is left of 10,000 tokens after all answers so far."""
        return max(0, _WINDOW - self._total.prompt_tokens - self._total.completion_tokens)

    @property
    def capabilities(self) -> ModelCapabilities:
        """The older form of `model_info`."""
        info = self._model_info
        return ModelCapabilities(
            vision=info["vision"],
            function_calling=info["function_calling"],
            json_output=info["json_output"],
        )

    @property
    def model_info(self) -> ModelInfo:
        """What the script is said to be able to do."""
        return self._model_info

    def set_cached_bool_value(self, value: bool) -> None:
        """What the results of scripted texts say under `cached`."""
        self._cached = value

    def reset(self) -> None:
        """Begin the script again; usage starts from nothing."""
        self._next = 0
        self._last_usage = RequestUsage(prompt_tokens=0, completion_tokens=0)
        self._total = RequestUsage(prompt_tokens=0, completion_tokens=0)

    def _peek(self) -> str | CreateResult:
        if self._next >= len(self.chat_completions):
            raise ValueError("No more mock responses available")
        return self.chat_completions[self._next]

    def _answer(self, messages: Sequence[LLMMessage]) -> CreateResult:
        scripted = self._peek()
        self._next += 1
        if isinstance(scripted, str):
            usage = RequestUsage(prompt_tokens=self.count_tokens(messages), completion_tokens=len(scripted.split()))
            scripted = CreateResult(finish_reason="stop", content=scripted, usage=usage, cached=self._cached)
        self._last_usage = scripted.usage
        self._total.prompt_tokens += scripted.usage.prompt_tokens
        self._total.completion_tokens += scripted.usage.completion_tokens
        return scripted

    def _to_config(self) -> ReplayChatCompletionClientConfig:
        return ReplayChatCompletionClientConfig(chat_completions=self.chat_completions, model_info=self._model_info)

    @classmethod
    def _from_config(cls, config: ReplayChatCompletionClientConfig) -> Self:
        return cls(chat_completions=config.chat_completions, model_info=config.model_info)
