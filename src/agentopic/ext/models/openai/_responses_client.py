"""`OpenAIResponsesChatCompletionClient`: OpenAI's models behind the responses API."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractContextManager, aclosing
from typing import Any, Self, cast

from openai.types.responses import Response, ResponseStreamEvent
from typing_extensions import Unpack

from agentopic.core import CancellationToken, Component
from agentopic.core.models import CreateResult, LLMMessage
from agentopic.core.tools import Tool, ToolSchema
from agentopic.ext.models._client import (
    DEFAULT_RETRIES,
    DEFAULT_TIMEOUT_SECONDS,
    KeptReasoning,
    ProviderClient,
    Question,
    seconds_of,
    to_arguments,
    to_component_config,
)
from agentopic.ext.models.openai._background import BackgroundCall
from agentopic.ext.models.openai._error_translation import require_response, translated_errors
from agentopic.ext.models.openai._model_table import CATALOGUE
from agentopic.ext.models.openai._openai_client import sdk_client
from agentopic.ext.models.openai._responses_assembly import ResponsesAssembly, to_create_result
from agentopic.ext.models.openai._responses_config import (
    OpenAIResponsesClientConfiguration,
    OpenAIResponsesClientConfigurationConfigModel,
)
from agentopic.ext.models.openai._responses_conversion import CREATE_ARGUMENTS, Item, call_arguments
from agentopic.ext.models.openai._token_count import count_prompt_tokens


class OpenAIResponsesChatCompletionClient(ProviderClient, Component[OpenAIResponsesClientConfigurationConfigModel]):
    """Chat completion client for models behind OpenAI's responses API.

    `model` is required; the key comes from `api_key` or OPENAI_API_KEY. The whole conversation goes with every call,
    and nothing is stored at the provider unless `store` or `background` says so.

    With `background=True` the provider works on an answer on its own. Inside a durable turn its number is recorded
    before the wait, so that a later attempt waits for the same answer and pays nothing twice; a stream gives its text
    in one piece.

    Raises:
        ValueError: the model is missing or not known and no `model_info` is given.
        ConfigError: there is no key.
    """

    component_type = "model"
    component_config_schema = OpenAIResponsesClientConfigurationConfigModel
    component_provider_override = "agentopic.ext.models.openai.OpenAIResponsesChatCompletionClient"

    _messages_parameter = "input"

    def __init__(self, **kwargs: Unpack[OpenAIResponsesClientConfiguration]) -> None:
        given: dict[str, Any] = {n: value for n, value in kwargs.items() if value is not None or n == "timeout"}
        if "model" not in given:
            raise ValueError("the argument 'model' is required")
        self._given = to_component_config(dict(given))
        model = str(given["model"])
        info = CATALOGUE.info_given(model, given.pop("model_info", None), None)
        retries = given.pop("max_retries", DEFAULT_RETRIES)
        self._create_args = {name: value for name, value in given.items() if name in CREATE_ARGUMENTS}
        connection = {name: value for name, value in given.items() if name not in CREATE_ARGUMENTS}
        self._client = sdk_client({"timeout": DEFAULT_TIMEOUT_SECONDS, **connection})
        super().__init__(model=model, model_info=info, retries=retries, timeout=seconds_of(self._client.timeout))
        self._kept: KeptReasoning[list[Item]] = KeptReasoning()
        self._background = bool(given.get("background"))

    @property
    def step_scope(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride] - decided by a setting
        """True in the background, where a call has two steps of its own: its start and its answer."""
        return self._background

    @property
    def step_endpoint(self) -> str:
        """The server's address and the model's name."""
        url = self._client.base_url
        return f"{url.netloc.decode()}{url.path.rstrip('/')}/{self.step_name}"

    async def close(self) -> None:
        """Close the SDK client and its connections."""
        await self._client.close()

    def count_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = []) -> int:
        """Tokens of a prompt; an estimate until `load_encoding` was called for the model."""
        return count_prompt_tokens(self.step_name, messages, tools)

    def remaining_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = []) -> int:
        """What is left of the model's window; ValueError when its size is not known."""
        return CATALOGUE.window(self.step_name) - self.count_tokens(messages, tools=tools)

    async def _answer(self, question: Question, token: CancellationToken | None) -> CreateResult:
        if not self._background:
            return await super()._answer(question, token)
        request = self._request(question.fitted(self._model_info), stream=False)
        call = BackgroundCall(
            start=lambda: self._repeated(lambda: self._ask(request)),
            look=lambda number: self._repeated(lambda: self._client.responses.retrieve(number)),
            read=self._read,
            name=self.step_name,
            endpoint=self.step_endpoint,
            question=question,
            estimate=lambda: self.count_tokens(question.messages, tools=question.tools),
        )
        result = await self._cancellable(call.answer(), token)
        self._count(result.usage)
        return result

    async def _stream(
        self, question: Question, token: CancellationToken | None
    ) -> AsyncGenerator[str | CreateResult, None]:
        if not self._background:
            async with aclosing(super()._stream(question, token)) as items:
                async for item in items:
                    yield item
            return
        result = await self._answer(question, token)
        if isinstance(result.content, str) and result.content:
            yield result.content
        yield result

    def _request(self, question: Question, *, stream: bool) -> dict[str, Any]:
        return call_arguments(self._create_args, question, self._kept)

    async def _ask(self, request: dict[str, Any]) -> Response:
        return require_response(await cast("Any", self._client.responses).create(**request))

    def _read(self, answer: Response) -> CreateResult:
        return to_create_result(answer, self._kept)

    async def _events(self, request: dict[str, Any]) -> AsyncGenerator[ResponseStreamEvent, None]:
        stream: Any = await self._client.responses.create(**request, stream=True)
        async with stream:
            async for event in stream:
                yield event

    def _assembly(self) -> ResponsesAssembly:
        return ResponsesAssembly(self._kept)

    def _translated_errors(self) -> AbstractContextManager[None]:
        return translated_errors()

    def _to_config(self) -> OpenAIResponsesClientConfigurationConfigModel:
        return OpenAIResponsesClientConfigurationConfigModel.model_validate(self._given)

    @classmethod
    def _from_config(cls, config: OpenAIResponsesClientConfigurationConfigModel) -> Self:
        return cls(**to_arguments(config))
