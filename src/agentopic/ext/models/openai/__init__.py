"""Clients for OpenAI's chat completions API and for Azure's, as in `autogen_ext.models.openai`."""

from agentopic.errors import MissingExtraError

try:
    import openai as _sdk  # noqa: F401 - only to say clearly what is missing
except ImportError as exc:
    raise MissingExtraError("agentopic.ext.models.openai", "openai") from exc

from agentopic.ext.models.openai._azure_client import AZURE_OPENAI_USER_AGENT, AzureOpenAIChatCompletionClient
from agentopic.ext.models.openai._chat_client import BaseOpenAIChatCompletionClient
from agentopic.ext.models.openai._openai_client import OpenAIChatCompletionClient
from agentopic.ext.models.openai._token_count import load_encoding
from agentopic.ext.models.openai.config import (
    AzureOpenAIClientConfigurationConfigModel,
    BaseOpenAIClientConfigurationConfigModel,
    CreateArgumentsConfigModel,
    OpenAIClientConfigurationConfigModel,
)

__all__ = [
    "AZURE_OPENAI_USER_AGENT",
    "AzureOpenAIChatCompletionClient",
    "AzureOpenAIClientConfigurationConfigModel",
    "BaseOpenAIChatCompletionClient",
    "BaseOpenAIClientConfigurationConfigModel",
    "CreateArgumentsConfigModel",
    "OpenAIChatCompletionClient",
    "OpenAIClientConfigurationConfigModel",
    "load_encoding",
]
