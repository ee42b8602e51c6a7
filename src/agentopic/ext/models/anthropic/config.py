"""What the clients can be given: as keyword arguments (TypedDicts) and as component config (pydantic)."""

from __future__ import annotations

from typing import Any, Literal, Required, TypeAlias

from pydantic import BaseModel, SecretStr
from typing_extensions import TypedDict

from agentopic.core.models import ModelCapabilities, ModelInfo

ApiToolChoice: TypeAlias = Literal["auto", "any", "none"] | dict[str, Any] | None


class ResponseFormat(TypedDict):
    """The format of answers; `json_object` holds the model to JSON."""

    type: Literal["text", "json_object"]


class ThinkingConfig(TypedDict, total=False):
    """Whether the model thinks before it answers, and for how many tokens at most."""

    type: Required[Literal["enabled", "disabled", "adaptive"]]
    budget_tokens: int | None


class CreateArguments(TypedDict, total=False):
    """What goes with every call, as the API has it."""

    model: str
    max_tokens: int | None
    temperature: float | None
    top_p: float | None
    top_k: int | None
    stop_sequences: list[str] | None
    response_format: ResponseFormat | None
    metadata: dict[str, str] | None
    thinking: ThinkingConfig | None


class BedrockInfo(TypedDict):
    """Credentials and region of Amazon Bedrock."""

    aws_access_key: Required[str]
    aws_secret_key: Required[str]
    aws_session_token: Required[str]
    aws_region: Required[str]


class BaseAnthropicClientConfiguration(CreateArguments, total=False):
    """What both clients can be given."""

    api_key: str
    """Default: the environment variable ANTHROPIC_API_KEY."""
    base_url: str | None
    model_capabilities: ModelCapabilities
    model_info: ModelInfo
    """What the model can do; needed for models that are not in the table."""
    timeout: float | None
    """Seconds without an answer until a call fails; default 30."""
    max_retries: int | None
    """Repeats of a failed call outside a durable turn, with growing pauses; default 3. In a turn its engine retries."""
    default_headers: dict[str, str] | None
    http_client: Any
    """The AsyncClient of httpx2 to ask through; no part of the component config."""


class AnthropicClientConfiguration(BaseAnthropicClientConfiguration, total=False):
    """What AnthropicChatCompletionClient can be given."""

    tools: list[dict[str, Any]] | None
    """Tools of every call, as the API has them; beside those of the call."""
    tool_choice: ApiToolChoice
    """The choice where a call gives no tools of its own."""


class AnthropicBedrockClientConfiguration(AnthropicClientConfiguration, total=False):
    """What AnthropicBedrockChatCompletionClient can be given."""

    bedrock_info: BedrockInfo


class ThinkingConfigModel(BaseModel):
    """ThinkingConfig as component config."""

    type: Literal["enabled", "disabled", "adaptive"]
    budget_tokens: int | None = None


class CreateArgumentsConfigModel(BaseModel):
    """CreateArguments as component config."""

    model: str
    max_tokens: int | None = 4096
    temperature: float | None = 1.0
    top_p: float | None = None
    top_k: int | None = None
    stop_sequences: list[str] | None = None
    response_format: ResponseFormat | None = None
    metadata: dict[str, str] | None = None
    thinking: ThinkingConfigModel | None = None


class BaseAnthropicClientConfigurationConfigModel(CreateArgumentsConfigModel):
    """BaseAnthropicClientConfiguration as component config; the key is masked in JSON."""

    api_key: SecretStr | None = None
    base_url: str | None = None
    model_capabilities: ModelCapabilities | None = None
    model_info: ModelInfo | None = None
    timeout: float | None = None
    max_retries: int | None = None
    default_headers: dict[str, str] | None = None


class AnthropicClientConfigurationConfigModel(BaseAnthropicClientConfigurationConfigModel):
    """AnthropicClientConfiguration as component config."""

    tools: list[dict[str, Any]] | None = None
    tool_choice: ApiToolChoice = None


class BedrockInfoConfigModel(TypedDict):
    """BedrockInfo as component config; credentials are masked in JSON."""

    aws_access_key: Required[SecretStr]
    aws_session_token: Required[SecretStr]
    aws_region: Required[str]
    aws_secret_key: Required[SecretStr]


class AnthropicBedrockClientConfigurationConfigModel(AnthropicClientConfigurationConfigModel):
    """AnthropicBedrockClientConfiguration as component config."""

    bedrock_info: BedrockInfoConfigModel | None = None
