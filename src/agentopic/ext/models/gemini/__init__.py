"""A client for Gemini behind Google's API and behind Vertex AI."""

from importlib.util import find_spec

from agentopic.errors import MissingExtraError

if find_spec("google") is None or find_spec("google.genai") is None:
    raise MissingExtraError("agentopic.ext.models.gemini", "gemini")

from agentopic.ext.models.gemini._gemini_client import GeminiChatCompletionClient
from agentopic.ext.models.gemini.config import (
    CreateArgumentsConfigModel,
    GeminiClientConfiguration,
    GeminiClientConfigurationConfigModel,
)

__all__ = [
    "CreateArgumentsConfigModel",
    "GeminiChatCompletionClient",
    "GeminiClientConfiguration",
    "GeminiClientConfigurationConfigModel",
]
