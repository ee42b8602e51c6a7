"""`BaseAnthropicChatCompletionClient`: what the clients for Anthropic and for Amazon Bedrock share."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing
from typing import Any, cast

from anthropic import AsyncAnthropic
from anthropic.lib.bedrock import AsyncAnthropicBedrock
from anthropic.types import Message, RawMessageStreamEvent
from pydantic import BaseModel

from agentopic.core import CancellationToken
from agentopic.core.models import CreateResult, LLMMessage, ModelCapabilities, ModelInfo
from agentopic.core.tools import Tool, ToolSchema
from agentopic.ext.models._client import (
    DEFAULT_RETRIES,
    KeptReasoning,
    ProviderClient,
    Question,
    ToolChoice,
    seconds_of,
)
from agentopic.ext.models.anthropic._answer_assembly import AnswerAssembly, to_create_result
from agentopic.ext.models.anthropic._create_arguments import DEFAULT_MAX_TOKENS, call_arguments
from agentopic.ext.models.anthropic._error_translation import require_message, translated_errors
from agentopic.ext.models.anthropic._message_conversion import Block
from agentopic.ext.models.anthropic._model_table import CATALOGUE, plain_name


class BaseAnthropicChatCompletionClient(ProviderClient):
    """Calls the messages API through the given SDK client, which it owns and closes."""

    def __init__(
        self,
        client: AsyncAnthropic | AsyncAnthropicBedrock,
        *,
        create_args: dict[str, Any],
        model_info: ModelInfo | None = None,
        model_capabilities: ModelCapabilities | None = None,
        retries: int = DEFAULT_RETRIES,
    ) -> None:
        model = plain_name(str(create_args["model"]))
        super().__init__(
            model=model,
            model_info=CATALOGUE.info_given(model, model_info, model_capabilities),
            retries=retries,
            timeout=seconds_of(client.timeout),
        )
        self._client = client.with_options(max_retries=0)
        self._create_args = {**create_args, "max_tokens": create_args.get("max_tokens") or DEFAULT_MAX_TOKENS}
        self._thinking = KeptReasoning[list[Block]]()

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
    ) -> AsyncGenerator[str | CreateResult, None]:
        """Ask for one answer and give its thought and text as they arrive.

        `max_consecutive_empty_chunk_tolerance` has no effect: empty chunks are always tolerated.
        """
        question = Question(
            messages=messages, tools=tools, tool_choice=tool_choice, json_output=json_output, extra=extra_create_args
        )
        async with aclosing(self._stream(question, cancellation_token)) as items:
            async for item in items:
                yield item

    async def close(self) -> None:
        """Close the SDK client and its connections."""
        await self._client.close()

    def remaining_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = []) -> int:
        """What is left of the model's window; ValueError when its size is not known."""
        return CATALOGUE.window(self.step_name) - self.count_tokens(messages, tools=tools)

    def _request(self, question: Question, *, stream: bool) -> dict[str, Any]:
        return call_arguments(self._create_args, question, self._thinking)

    async def _ask(self, request: dict[str, Any]) -> Message:
        return require_message(await cast("Any", self._client.messages).create(**request))

    def _read(self, answer: Message) -> CreateResult:
        return to_create_result(answer, self._thinking)

    async def _events(self, request: dict[str, Any]) -> AsyncGenerator[RawMessageStreamEvent, None]:
        async with await self._client.messages.create(**request, stream=True) as stream:
            async for event in stream:
                yield event

    def _assembly(self) -> AnswerAssembly:
        return AnswerAssembly(self._thinking)

    def _translated_errors(self) -> AbstractContextManager[None]:
        return translated_errors()
