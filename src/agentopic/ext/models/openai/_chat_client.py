"""`BaseOpenAIChatCompletionClient`: what the clients for OpenAI and for Azure share."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing
from typing import Any

from openai import AsyncAzureOpenAI, AsyncOpenAI, AsyncStream
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import BaseModel

from agentopic.core import CancellationToken
from agentopic.core.models import CreateResult, LLMMessage, ModelCapabilities, ModelFamily, ModelInfo
from agentopic.core.tools import Tool, ToolSchema
from agentopic.ext.models._client import DEFAULT_RETRIES, ProviderClient, Question, ToolChoice, seconds_of
from agentopic.ext.models.openai._create_arguments import call_arguments
from agentopic.ext.models.openai._error_translation import require_completion, translated_errors
from agentopic.ext.models.openai._message_conversion import ConversionOptions
from agentopic.ext.models.openai._model_table import CATALOGUE
from agentopic.ext.models.openai._result_conversion import to_create_result
from agentopic.ext.models.openai._stream_assembly import StreamAssembly
from agentopic.ext.models.openai._token_count import count_prompt_tokens


class BaseOpenAIChatCompletionClient(ProviderClient):
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
        model = str(create_args["model"])
        super().__init__(
            model=model,
            model_info=CATALOGUE.info_given(model, model_info, model_capabilities),
            retries=retries,
            timeout=seconds_of(client.timeout),
        )
        self._client = client.with_options(max_retries=0)
        self._create_args = create_args
        self._options = ConversionOptions(add_name_prefixes=add_name_prefixes, include_name=include_name_in_message)

    @property
    def step_endpoint(self) -> str:
        """The server's address and the model's name."""
        url = self._client.base_url
        return f"{url.netloc.decode()}{url.path.rstrip('/')}/{self.step_name}"

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
        """Ask for one answer and give its text as it arrives, a separate thought between <think> tags before it.

        Usage is asked for unless `include_usage` is False. `max_consecutive_empty_chunk_tolerance` has no effect:
        empty chunks are always tolerated.
        """
        extra = dict(extra_create_args)
        if include_usage is False:
            extra["stream_options"] = {**(extra.get("stream_options") or {}), "include_usage": False}
        question = Question(
            messages=messages, tools=tools, tool_choice=tool_choice, json_output=json_output, extra=extra
        )
        async with aclosing(self._stream(question, cancellation_token)) as items:
            async for item in items:
                yield item

    async def close(self) -> None:
        """Close the SDK client and its connections."""
        await self._client.close()

    def count_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = []) -> int:
        """Tokens of a prompt; an estimate until `load_encoding` was called for the model."""
        return count_prompt_tokens(self.step_name, messages, tools)

    def remaining_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = []) -> int:
        """What is left of the model's window; ValueError when its size is not known."""
        return CATALOGUE.window(self.step_name) - self.count_tokens(messages, tools=tools)

    @property
    def _thinks_in_content(self) -> bool:
        return self._model_info["family"] == ModelFamily.R1

    def _request(self, question: Question, *, stream: bool) -> dict[str, Any]:
        arguments = call_arguments(self._create_args, question, self._options)
        if stream:
            arguments["stream_options"] = {"include_usage": True, **(arguments.get("stream_options") or {})}
        else:
            arguments.pop("stream_options", None)  # refused by the API when nothing is streamed
        return arguments

    async def _ask(self, request: dict[str, Any]) -> ChatCompletion:
        return require_completion(await self._client.chat.completions.create(**request, stream=False))

    def _read(self, answer: ChatCompletion) -> CreateResult:
        return to_create_result(answer, thinks_in_content=self._thinks_in_content)

    async def _events(self, request: dict[str, Any]) -> AsyncGenerator[ChatCompletionChunk, None]:
        stream: AsyncStream[ChatCompletionChunk] = await self._client.chat.completions.create(**request, stream=True)
        async with stream:
            async for chunk in stream:
                yield chunk

    def _assembly(self) -> StreamAssembly:
        return StreamAssembly(thinks_in_content=self._thinks_in_content)

    def _translated_errors(self) -> AbstractContextManager[None]:
        return translated_errors()
