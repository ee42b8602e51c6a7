"""`OllamaChatCompletionClient`: open models on an Ollama server."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing
from typing import Any, Self
from urllib.parse import urlsplit

from ollama import AsyncClient, ChatResponse
from typing_extensions import Unpack

from agentopic.core import Component
from agentopic.core.models import CreateResult, LLMMessage, ModelFamily
from agentopic.core.tools import Tool, ToolSchema
from agentopic.errors import ComponentError
from agentopic.ext.models._client import (
    ProviderClient,
    Question,
    seconds_of,
    to_component_config,
)
from agentopic.ext.models.ollama._answer_assembly import AnswerAssembly
from agentopic.ext.models.ollama._error_translation import translated_errors
from agentopic.ext.models.ollama._message_conversion import to_api_messages, to_api_tools
from agentopic.ext.models.ollama._model_table import CATALOGUE, plain_name, window_size
from agentopic.ext.models.ollama.config import (
    BaseOllamaClientConfiguration,
    BaseOllamaClientConfigurationConfigModel,
)

LOADING_TIMEOUT_SECONDS = 120.0
"""A server that has to load a model first answers late."""

_CREATE_ARGUMENTS = frozenset({"think", "logprobs", "top_logprobs", "format", "options", "keep_alive"})
_BEHAVIOUR = frozenset({"model", "host", "response_format", "model_info", "model_capabilities", "options"})


class OllamaChatCompletionClient(ProviderClient, Component[BaseOllamaClientConfigurationConfigModel]):
    """Chat completion client for models that an Ollama server has pulled.

    `model` is required. The API knows no choice among tools: see docs/models.md for what each `tool_choice` does.

    Raises:
        ValueError: the model is missing or not known and no `model_info` is given.
    """

    component_type = "model"
    component_config_schema = BaseOllamaClientConfigurationConfigModel
    component_provider_override = "autogen_ext.models.ollama.OllamaChatCompletionClient"

    def __init__(self, **kwargs: Unpack[BaseOllamaClientConfiguration]) -> None:
        given: dict[str, Any] = {n: value for n, value in kwargs.items() if value is not None or n == "timeout"}
        if "model" not in given:
            raise ValueError("the argument 'model' is required")
        model = str(given["model"])
        timeout = given.get("timeout", LOADING_TIMEOUT_SECONDS)
        super().__init__(
            model=model,
            model_info=CATALOGUE.info_given(
                plain_name(model), given.get("model_info"), given.get("model_capabilities")
            ),
            timeout=seconds_of(timeout),
        )
        self._given = to_component_config(
            {name: value for name, value in kwargs.items() if name != "transport"}, headers="headers"
        )
        self._create_args = {
            name: value for name, value in given.items() if name in _CREATE_ARGUMENTS or name == "response_format"
        }
        self._host: str | None = given.get("host")
        connection = {name: value for name, value in given.items() if name not in _BEHAVIOUR | _CREATE_ARGUMENTS}
        self._client = AsyncClient(host=self._host, **{**connection, "timeout": timeout})
        self._chat: Any = self._client.chat  # pyright: ignore[reportUnknownMemberType] - the SDK leaves it open

    @property
    def step_endpoint(self) -> str:
        """The server's address and the model's name."""
        host = urlsplit(self._host or "").netloc or self._host or "ollama"
        return f"{host.rsplit('@', 1)[-1]}/{self.step_name}"

    def get_create_args(self) -> Mapping[str, Any]:
        """What every call is made with."""
        return {"model": self.step_name, **self._create_args}

    async def close(self) -> None:
        """Close the SDK client and its connections."""
        await self._client.close()

    def remaining_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = []) -> int:
        """What is left of the model's window; ValueError when its size is not known."""
        return window_size(self.step_name) - self.count_tokens(messages, tools=tools)

    def _request(self, question: Question, *, stream: bool) -> dict[str, Any]:
        unknown = sorted(question.extra.keys() - _CREATE_ARGUMENTS - {"response_format"})
        if unknown:
            raise ValueError(f"not arguments of this API: {', '.join(unknown)}")
        arguments: dict[str, Any] = {**self._create_args, **question.extra}
        if "options" in self._create_args and "options" in question.extra:
            arguments["options"] = {**dict(self._create_args["options"]), **question.extra["options"]}
        response_format = arguments.pop("response_format", None)
        wanted = response_format if question.json_output is None else question.json_output
        if wanted:
            arguments["format"] = _format(wanted)
        tools = to_api_tools(question)
        return {
            **arguments,
            "model": self.step_name,
            "messages": to_api_messages(question.messages),
            **({"tools": tools} if tools else {}),
        }

    async def _ask(self, request: dict[str, Any]) -> ChatResponse:
        return await self._chat(**request, stream=False)

    def _read(self, answer: ChatResponse) -> CreateResult:
        assembly = self._assembly()
        assembly.add(answer)
        return assembly.result()

    async def _events(self, request: dict[str, Any]) -> AsyncGenerator[ChatResponse, None]:
        events: Any = await self._chat(**request, stream=True)
        async with aclosing(events):
            async for event in events:
                yield event

    def _assembly(self) -> AnswerAssembly:
        return AnswerAssembly(thinks_in_content=self._model_info["family"] == ModelFamily.R1)

    def _translated_errors(self) -> AbstractContextManager[None]:
        return translated_errors()

    def _to_config(self) -> BaseOllamaClientConfigurationConfigModel:
        if isinstance(self._given.get("response_format"), type):
            raise ComponentError("response_format is a class and cannot be written as JSON")
        return BaseOllamaClientConfigurationConfigModel.model_validate(self._given)

    @classmethod
    def _from_config(cls, config: BaseOllamaClientConfigurationConfigModel) -> Self:
        return cls(**config.model_dump(exclude_unset=True, exclude_none=True))


def _format(wanted: Any) -> Any:
    schema: Any = getattr(wanted, "model_json_schema", None)
    if schema is not None:
        return schema()
    as_json = wanted is True or wanted == {"type": "json_object"}
    return "json" if as_json else wanted
