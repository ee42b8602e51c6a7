"""A client for open models on an Ollama server, as in `autogen_ext.models.ollama`."""

from importlib.util import find_spec

from agentopic.errors import MissingExtraError

if find_spec("ollama") is None:
    raise MissingExtraError("agentopic.ext.models.ollama", "ollama")

from agentopic.ext.models.ollama._ollama_client import OllamaChatCompletionClient
from agentopic.ext.models.ollama.config import (
    BaseOllamaClientConfigurationConfigModel,
    CreateArgumentsConfigModel,
)

__all__ = [
    "BaseOllamaClientConfigurationConfigModel",
    "CreateArgumentsConfigModel",
    "OllamaChatCompletionClient",
]
