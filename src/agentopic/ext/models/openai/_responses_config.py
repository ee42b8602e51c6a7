"""What the client for the responses API can be given."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, SecretStr
from typing_extensions import TypedDict

from agentopic.core.models import ModelInfo


class OpenAIResponsesClientConfiguration(TypedDict, total=False):
    """What OpenAIResponsesChatCompletionClient can be given; further arguments of the API go with every call."""

    model: str
    api_key: str
    organization: str
    base_url: str
    timeout: float | None
    """Seconds without an answer until a call fails; default 30."""
    max_retries: int
    default_headers: dict[str, str] | None
    http_client: Any
    """The AsyncClient of httpx2 to ask through; no part of the component config."""
    model_info: ModelInfo
    background: bool
    """Whether the provider works on answers on its own, so that a durable turn that died finds its answer again."""
    temperature: float | None
    top_p: float | None
    max_output_tokens: int | None
    reasoning: dict[str, Any] | None
    """For example `{"effort": "low", "summary": "auto"}`."""
    text: dict[str, Any]
    parallel_tool_calls: bool | None
    store: bool
    """Whether the provider keeps answers; default False, True with `background`."""
    metadata: dict[str, str] | None
    truncation: str | None
    service_tier: str | None


class OpenAIResponsesClientConfigurationConfigModel(BaseModel):
    """OpenAIResponsesClientConfiguration as component config; the key is masked in JSON."""

    model: str
    api_key: SecretStr | None = None
    organization: str | None = None
    base_url: str | None = None
    timeout: float | None = None
    max_retries: int | None = None
    default_headers: dict[str, str] | None = None
    model_info: ModelInfo | None = None
    background: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_output_tokens: int | None = None
    reasoning: dict[str, Any] | None = None
    text: dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    store: bool | None = None
    metadata: dict[str, str] | None = None
    truncation: str | None = None
    service_tier: str | None = None
