"""`GeminiChatCompletionClient`: Gemini behind Google's own API, or behind Vertex AI."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing
from typing import Any, Self
from urllib.parse import urlsplit

from google.genai import Client, types
from typing_extensions import Unpack

from agentopic.concealment import conceal
from agentopic.core import Component
from agentopic.core.models import CreateResult, LLMMessage
from agentopic.core.tools import Tool, ToolSchema
from agentopic.errors import ConfigError
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
from agentopic.ext.models.gemini._answer_assembly import AnswerAssembly
from agentopic.ext.models.gemini._create_arguments import CREATE_ARGUMENTS, call_arguments
from agentopic.ext.models.gemini._error_translation import translated_errors
from agentopic.ext.models.gemini._model_table import CATALOGUE, plain_name
from agentopic.ext.models.gemini.config import GeminiClientConfiguration, GeminiClientConfigurationConfigModel

_OF_SDK = ("api_key", "vertexai", "project", "location", "credentials")
_DEFAULT_HOST = "generativelanguage.googleapis.com"


class GeminiChatCompletionClient(ProviderClient, Component[GeminiClientConfigurationConfigModel]):
    """Chat completion client for Gemini models.

    `model` is required; the key comes from `api_key`, GEMINI_API_KEY or GOOGLE_API_KEY; `vertexai=True` asks Vertex
    AI instead. Every argument of the API can be given here for all calls.

    Raises:
        ValueError: the model is missing or not known and no `model_info` is given.
        ConfigError: there are no credentials.
    """

    component_type = "model"
    component_config_schema = GeminiClientConfigurationConfigModel
    component_provider_override = "agentopic.ext.models.gemini.GeminiChatCompletionClient"

    _messages_parameter = "contents"

    def __init__(self, **kwargs: Unpack[GeminiClientConfiguration]) -> None:
        given: dict[str, Any] = {n: value for n, value in kwargs.items() if value is not None or n == "timeout"}
        if "model" not in given:
            raise ValueError("the argument 'model' is required")
        self._asked_model = str(given["model"])
        model = plain_name(self._asked_model)
        timeout = seconds_of(given.get("timeout", DEFAULT_TIMEOUT_SECONDS))
        super().__init__(
            model=model,
            model_info=CATALOGUE.info_given(model, given.get("model_info"), given.get("model_capabilities")),
            retries=given.get("max_retries", DEFAULT_RETRIES),
            timeout=timeout,
        )
        self._given = to_component_config({name: value for name, value in kwargs.items() if name != "http_client"})
        self._create_args = {name: value for name, value in given.items() if name in CREATE_ARGUMENTS}
        self._host = urlsplit(str(given.get("base_url", ""))).netloc.rsplit("@", 1)[-1] or _DEFAULT_HOST
        self._client = _sdk_client(given, timeout)
        self._signatures = KeptReasoning[bytes]()

    @property
    def step_endpoint(self) -> str:
        """The server's address and the model's name."""
        return f"{self._host}/{self.step_name}"

    async def close(self) -> None:
        """Close the SDK client and its connections."""
        await self._client.aio.aclose()
        self._client.close()

    def remaining_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = []) -> int:
        """What is left of the model's window; ValueError when its size is not known."""
        return CATALOGUE.window(self.step_name) - self.count_tokens(messages, tools=tools)

    def _request(self, question: Question, *, stream: bool) -> dict[str, Any]:
        return call_arguments(self._asked_model, self._create_args, question, self._signatures)

    async def _ask(self, request: dict[str, Any]) -> types.GenerateContentResponse:
        return await self._client.aio.models.generate_content(**request)

    def _read(self, answer: types.GenerateContentResponse) -> CreateResult:
        assembly = self._assembly()
        assembly.add(answer)
        return assembly.result()

    async def _events(self, request: dict[str, Any]) -> AsyncGenerator[types.GenerateContentResponse, None]:
        events: Any = await self._client.aio.models.generate_content_stream(**request)
        async with aclosing(events):
            async for event in events:
                yield event

    def _assembly(self) -> AnswerAssembly:
        return AnswerAssembly(self._signatures)

    def _translated_errors(self) -> AbstractContextManager[None]:
        return translated_errors()

    def _to_config(self) -> GeminiClientConfigurationConfigModel:
        return GeminiClientConfigurationConfigModel.model_validate(self._given)

    @classmethod
    def _from_config(cls, config: GeminiClientConfigurationConfigModel) -> Self:
        return cls(**to_arguments(config))


def _sdk_client(given: Mapping[str, Any], timeout: float | None) -> Client:
    options: dict[str, Any] = {
        "base_url": given.get("base_url"),
        "api_version": None if given.get("vertexai") else "v1beta",  # v1 lacks schemas and thinking
        "headers": given.get("default_headers"),
        "timeout": None if timeout is None else int(timeout * 1000),
        "httpx_async_client": given.get("http_client"),
        "retry_options": types.HttpRetryOptions(attempts=1),
    }
    http_options = types.HttpOptions(**{name: value for name, value in options.items() if value is not None})
    try:
        client = Client(http_options=http_options, **{name: given[name] for name in _OF_SDK if name in given})
    except ValueError as exc:
        raise ConfigError(f"no credentials for the model: give api_key or set GEMINI_API_KEY ({exc})") from exc
    inner: Any = getattr(client, "_api_client", None)
    conceal(given.get("api_key"), getattr(inner, "api_key", None))  # it may come from the environment
    return client
