"""`BaseOpenAIChatCompletionClient`: what the clients for OpenAI and for Azure share."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from openai import AsyncAzureOpenAI, AsyncOpenAI, AsyncStream
from openai.types.chat import ChatCompletionChunk
from pydantic import BaseModel

from agentopic.core import EVENT_LOGGER_NAME, CancellationToken
from agentopic.core._turn import current_turn
from agentopic.core.logging import LLMCallEvent, LLMStreamEndEvent, LLMStreamStartEvent
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
from agentopic.ext.models.openai._create_arguments import call_arguments
from agentopic.ext.models.openai._error_translation import require_completion, translated_errors
from agentopic.ext.models.openai._message_conversion import ConversionOptions
from agentopic.ext.models.openai._model_table import known_model_info, window_size
from agentopic.ext.models.openai._result_conversion import to_create_result
from agentopic.ext.models.openai._stream_assembly import StreamAssembly
from agentopic.ext.models.openai._token_count import count_prompt_tokens
from agentopic.ext.models.openai._tool_conversion import ToolChoice

T = TypeVar("T")

DEFAULT_RETRIES = 3

_event_log = logging.getLogger(EVENT_LOGGER_NAME)


class BaseOpenAIChatCompletionClient(ChatCompletionClient):
    """Calls the chat completions API through the given SDK client, which it owns and closes.

    A failed call is repeated `retries` times with growing pauses, but not inside a durable turn, whose engine
    retries. Every failure is one of our ModelErrors.
    """

    component_type = "model"

    def __init__(
        self,
        client: AsyncOpenAI | AsyncAzureOpenAI,
        *,
        create_args: dict[str, Any],
        model_capabilities: ModelCapabilities | None = None,
        model_info: ModelInfo | None = None,
        add_name_prefixes: bool = False,
        include_name_in_message: bool = True,
        retries: int = DEFAULT_RETRIES,
    ) -> None:
        self._client = client
        self._retries = retries
        self._create_args = create_args
        self._model_info = _model_info(create_args["model"], model_info, model_capabilities)
        self._options = ConversionOptions(add_name_prefixes=add_name_prefixes, include_name=include_name_in_message)
        self._total = RequestUsage(prompt_tokens=0, completion_tokens=0)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(model={self.step_name!r})"

    @property
    def step_name(self) -> str:
        """The model's name."""
        return str(self._create_args["model"])

    @property
    def step_endpoint(self) -> str:
        """The server's address and the model's name."""
        url = self._client.base_url
        return f"{url.netloc.decode()}{url.path.rstrip('/')}/{self.step_name}"

    async def create(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = [],
        tool_choice: ToolChoice = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> CreateResult:
        """Ask for one answer; raises as the interface says."""
        arguments = self._arguments(messages, tools, tool_choice, json_output, extra_create_args)
        with translated_errors():
            answer = await _cancellable(
                self._sdk().chat.completions.create(**arguments, stream=False), cancellation_token
            )
        completion = require_completion(answer)
        result = to_create_result(completion, thinks_in_content=self._thinks_in_content)
        self._count(result.usage)
        if _event_log.isEnabledFor(logging.INFO):
            _event_log.info(
                LLMCallEvent(
                    messages=arguments["messages"],
                    response=completion.model_dump(),
                    prompt_tokens=result.usage.prompt_tokens,
                    completion_tokens=result.usage.completion_tokens,
                )
            )
        return result

    async def create_stream(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = [],
        tool_choice: ToolChoice = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] = {},
        cancellation_token: CancellationToken | None = None,
        max_consecutive_empty_chunk_tolerance: int = 0,
        include_usage: bool | None = None,
    ) -> AsyncGenerator[str | CreateResult, None]:
        """Ask for one answer and give its text as it arrives.

        Usage is asked for unless `include_usage` is False. `max_consecutive_empty_chunk_tolerance` has no effect:
        empty chunks are always tolerated.
        """
        arguments = self._arguments(messages, tools, tool_choice, json_output, extra_create_args)
        if include_usage is not False:
            arguments.setdefault("stream_options", {"include_usage": True})
        if _event_log.isEnabledFor(logging.INFO):
            _event_log.info(LLMStreamStartEvent(messages=arguments["messages"]))
        assembly = StreamAssembly()
        with translated_errors():
            async for text in self._texts(arguments, assembly, cancellation_token):
                yield text
        result = assembly.result(thinks_in_content=self._thinks_in_content)
        self._count(result.usage)
        if _event_log.isEnabledFor(logging.INFO):
            _event_log.info(
                LLMStreamEndEvent(
                    response=result.model_dump(),
                    prompt_tokens=result.usage.prompt_tokens,
                    completion_tokens=result.usage.completion_tokens,
                )
            )
        yield result

    async def close(self) -> None:
        """Close the SDK client and its connections."""
        await self._client.close()

    def actual_usage(self) -> RequestUsage:
        """Tokens of all calls that were made."""
        return RequestUsage(self._total.prompt_tokens, self._total.completion_tokens)

    def total_usage(self) -> RequestUsage:
        """Tokens of all calls that were made."""
        return RequestUsage(self._total.prompt_tokens, self._total.completion_tokens)

    def count_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = []) -> int:
        """Tokens of a prompt; an estimate until `load_encoding` was called for the model."""
        return count_prompt_tokens(self.step_name, messages, tools)

    def remaining_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = []) -> int:
        """What is left of the model's window; ValueError when its size is not known."""
        return window_size(self.step_name) - self.count_tokens(messages, tools=tools)

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
        """What the model can do."""
        return self._model_info

    @property
    def _thinks_in_content(self) -> bool:
        return self._model_info["family"] == ModelFamily.R1

    def _sdk(self) -> AsyncOpenAI | AsyncAzureOpenAI:
        if current_turn.get() is not None:
            return self._client
        return self._client.with_options(max_retries=self._retries)

    def _arguments(
        self,
        messages: Sequence[LLMMessage],
        tools: Sequence[Tool | ToolSchema],
        tool_choice: ToolChoice,
        json_output: bool | type[BaseModel] | None,
        extra_create_args: Mapping[str, Any],
    ) -> dict[str, Any]:
        return call_arguments(
            self._create_args,
            self._model_info,
            self._options,
            messages=messages,
            tools=tools,
            tool_choice=tool_choice,
            json_output=json_output,
            extra_create_args=extra_create_args,
        )

    async def _texts(
        self, arguments: dict[str, Any], assembly: StreamAssembly, token: CancellationToken | None
    ) -> AsyncGenerator[str, None]:
        opening = self._sdk().chat.completions.create(**arguments, stream=True)
        stream: AsyncStream[ChatCompletionChunk] = await _cancellable(opening, token)
        async with stream:
            chunks = aiter(stream)
            while (chunk := await _cancellable(_next(chunks), token)) is not None:
                if text := assembly.add(chunk):
                    yield text

    def _count(self, usage: RequestUsage) -> None:
        self._total.prompt_tokens += usage.prompt_tokens
        self._total.completion_tokens += usage.completion_tokens


async def _next(chunks: Any) -> ChatCompletionChunk | None:
    return await anext(chunks, None)


async def _cancellable(work: Coroutine[Any, Any, T], token: CancellationToken | None) -> T:
    if token is None:
        return await work
    future = asyncio.ensure_future(work)
    token.link_future(future)
    try:
        return await future
    finally:
        future.cancel()


def _model_info(model: str, model_info: ModelInfo | None, capabilities: ModelCapabilities | None) -> ModelInfo:
    if model_info is not None:
        validate_model_info(model_info)
        return model_info
    if capabilities is not None:
        return ModelInfo(
            vision=capabilities["vision"],
            function_calling=capabilities["function_calling"],
            json_output=capabilities["json_output"],
            family=ModelFamily.UNKNOWN,
            structured_output=False,
        )
    return known_model_info(model)
