"""What the client can be given: as keyword arguments (TypedDicts) and as component config (pydantic)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ollama import Options
from pydantic import BaseModel
from typing_extensions import TypedDict

from agentopic.core.models import ModelCapabilities, ModelInfo


class CreateArguments(TypedDict, total=False):
    """What goes with every call."""

    model: str
    host: str | None
    """The server's address; default: the environment variable OLLAMA_HOST, else http://127.0.0.1:11434."""
    response_format: Any
    """A pydantic class whose schema all answers are held to, or `json`."""


class BaseOllamaClientConfiguration(CreateArguments, total=False):
    """What OllamaChatCompletionClient can be given."""

    follow_redirects: bool
    timeout: Any
    """Seconds without an answer until a call fails; default 120, since a local model may have to be loaded first."""
    headers: Mapping[str, str] | None
    transport: Any
    """The transport of httpx to ask through; no part of the component config."""
    model_capabilities: ModelCapabilities
    model_info: ModelInfo
    """What the model can do; needed for models that are not in the table."""
    options: Mapping[str, Any] | Options | None
    """Parameters of the model, such as `temperature` and `num_ctx`."""


class CreateArgumentsConfigModel(BaseModel):
    """CreateArguments as component config."""

    model: str
    host: str | None = None
    response_format: Any = None


class BaseOllamaClientConfigurationConfigModel(CreateArgumentsConfigModel):
    """BaseOllamaClientConfiguration as component config, without headers that carry credentials."""

    follow_redirects: bool = True
    timeout: Any = None
    headers: Mapping[str, str] | None = None
    model_capabilities: ModelCapabilities | None = None
    model_info: ModelInfo | None = None
    options: Mapping[str, Any] | Options | None = None
