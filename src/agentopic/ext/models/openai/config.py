"""What the clients can be given: as keyword arguments (TypedDicts) and as component config (pydantic)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal, Required, TypeAlias

from pydantic import BaseModel, SecretStr
from typing_extensions import TypedDict

from agentopic.core._component_config import ComponentModel
from agentopic.core.models import ModelCapabilities, ModelInfo

AsyncAzureADTokenProvider: TypeAlias = Callable[[], str | Awaitable[str]]
"""Gives a fresh Azure AD token whenever it is called."""

ReasoningEffort: TypeAlias = Literal["minimal", "low", "medium", "high"]


class JSONSchema(TypedDict, total=False):
    """A named JSON Schema an answer is held to."""

    name: Required[str]
    description: str
    schema: dict[str, object]
    strict: bool | None


class ResponseFormat(TypedDict, total=False):
    """The format of answers, as the API has it."""

    type: Required[Literal["text", "json_object", "json_schema"]]
    json_schema: JSONSchema | None


class StreamOptions(TypedDict, total=False):
    """Options of a stream, as the API has them."""

    include_usage: bool


class CreateArguments(TypedDict, total=False):
    """What goes with every call, as the API has it."""

    frequency_penalty: float | None
    logit_bias: dict[str, int] | None
    max_tokens: int | None
    n: int | None
    presence_penalty: float | None
    response_format: ResponseFormat
    seed: int | None
    stop: str | list[str] | None
    temperature: float | None
    top_p: float | None
    user: str
    stream_options: StreamOptions | None
    parallel_tool_calls: bool | None
    reasoning_effort: ReasoningEffort | None


class BaseOpenAIClientConfiguration(CreateArguments, total=False):
    """What both clients can be given."""

    model: str
    api_key: str
    """Default: the environment variable the SDK names for it."""
    timeout: float | None
    """Seconds without an answer until a call fails; default 30."""
    max_retries: int
    """Repeats of a failed call outside a durable turn, with growing pauses; default 3. In a turn its engine retries."""
    model_capabilities: ModelCapabilities
    model_info: ModelInfo
    """What the model can do; needed for models that are not in the table."""
    add_name_prefixes: bool
    """Whether to put "<source> said:" before the text of user messages."""
    include_name_in_message: bool
    """Whether to send a message's source as its `name`; some providers refuse the field."""
    default_headers: dict[str, str] | None
    http_client: Any
    """The AsyncClient of httpx2 to ask through; no part of the component config."""


class OpenAIClientConfiguration(BaseOpenAIClientConfiguration, total=False):
    """What OpenAIChatCompletionClient can be given."""

    organization: str
    base_url: str
    """Another server that speaks the same API."""


class AzureOpenAIClientConfiguration(BaseOpenAIClientConfiguration, total=False):
    """What AzureOpenAIChatCompletionClient can be given."""

    azure_endpoint: Required[str]
    azure_deployment: str
    api_version: Required[str]
    azure_ad_token: str
    azure_ad_token_provider: AsyncAzureADTokenProvider


class CreateArgumentsConfigModel(BaseModel):
    """CreateArguments as component config."""

    frequency_penalty: float | None = None
    logit_bias: dict[str, int] | None = None
    max_tokens: int | None = None
    n: int | None = None
    presence_penalty: float | None = None
    response_format: ResponseFormat | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    temperature: float | None = None
    top_p: float | None = None
    user: str | None = None
    stream_options: StreamOptions | None = None
    parallel_tool_calls: bool | None = None
    reasoning_effort: ReasoningEffort | None = None


class BaseOpenAIClientConfigurationConfigModel(CreateArgumentsConfigModel):
    """BaseOpenAIClientConfiguration as component config; the key is masked in JSON."""

    model: str
    api_key: SecretStr | None = None
    timeout: float | None = None
    max_retries: int | None = None
    model_capabilities: ModelCapabilities | None = None
    model_info: ModelInfo | None = None
    add_name_prefixes: bool | None = None
    include_name_in_message: bool | None = None
    default_headers: dict[str, str] | None = None


class OpenAIClientConfigurationConfigModel(BaseOpenAIClientConfigurationConfigModel):
    """OpenAIClientConfiguration as component config."""

    organization: str | None = None
    base_url: str | None = None


class AzureOpenAIClientConfigurationConfigModel(BaseOpenAIClientConfigurationConfigModel):
    """AzureOpenAIClientConfiguration as component config; tokens are masked in JSON."""

    azure_endpoint: str
    azure_deployment: str | None = None
    api_version: str
    azure_ad_token: SecretStr | None = None
    azure_ad_token_provider: ComponentModel | None = None
