"""What the client can be given: as keyword arguments (TypedDicts) and as component config (pydantic)."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, SecretStr
from typing_extensions import TypedDict

from agentopic.core.models import ModelCapabilities, ModelInfo


class CreateArguments(TypedDict, total=False):
    """What goes with every call, as the API has it."""

    model: str
    temperature: float | None
    top_p: float | None
    top_k: float | None
    max_output_tokens: int | None
    stop_sequences: list[str] | None
    presence_penalty: float | None
    frequency_penalty: float | None
    seed: int | None
    thinking_config: dict[str, Any] | None
    """For example `{"include_thoughts": True, "thinking_budget": 1024}`."""
    safety_settings: list[dict[str, Any]] | None
    """For example `[{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]`."""
    cached_content: str | None
    labels: dict[str, str] | None


class GeminiClientConfiguration(CreateArguments, total=False):
    """What GeminiChatCompletionClient can be given."""

    api_key: str
    """Default: the environment variables GEMINI_API_KEY or GOOGLE_API_KEY."""
    base_url: str | None
    vertexai: bool | None
    """Whether to ask Vertex AI, with the credentials of the environment, instead of the Gemini API."""
    project: str | None
    location: str | None
    model_capabilities: ModelCapabilities
    model_info: ModelInfo
    """What the model can do; needed for models that are not in the table."""
    timeout: float | None
    """Seconds without an answer until a call fails; default 30."""
    max_retries: int | None
    """Repeats of a failed call outside a durable turn, with growing pauses; default 3. In a turn its engine retries."""
    default_headers: dict[str, str] | None
    http_client: Any
    """An AsyncClient of httpx or httpx2 to ask through; no part of the component config."""


class CreateArgumentsConfigModel(BaseModel):
    """CreateArguments as component config."""

    model: str
    temperature: float | None = None
    top_p: float | None = None
    top_k: float | None = None
    max_output_tokens: int | None = None
    stop_sequences: list[str] | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    seed: int | None = None
    thinking_config: dict[str, Any] | None = None
    safety_settings: list[dict[str, Any]] | None = None
    cached_content: str | None = None
    labels: dict[str, str] | None = None


class GeminiClientConfigurationConfigModel(CreateArgumentsConfigModel):
    """GeminiClientConfiguration as component config; the key is masked in JSON."""

    api_key: SecretStr | None = None
    base_url: str | None = None
    vertexai: bool | None = None
    project: str | None = None
    location: str | None = None
    model_capabilities: ModelCapabilities | None = None
    model_info: ModelInfo | None = None
    timeout: float | None = None
    max_retries: int | None = None
    default_headers: dict[str, str] | None = None
