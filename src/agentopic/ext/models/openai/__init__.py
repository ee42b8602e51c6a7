"""Clients for OpenAI's chat completions and responses APIs and for Azure's, as in `autogen_ext.models.openai`."""

from importlib.util import find_spec

from agentopic.errors import MissingExtraError

if find_spec("openai") is None or find_spec("tiktoken") is None:
    raise MissingExtraError("agentopic.ext.models.openai", "openai")

from agentopic.ext.models.openai._azure_client import AZURE_OPENAI_USER_AGENT, AzureOpenAIChatCompletionClient
from agentopic.ext.models.openai._chat_client import BaseOpenAIChatCompletionClient
from agentopic.ext.models.openai._openai_client import OpenAIChatCompletionClient
from agentopic.ext.models.openai._responses_client import OpenAIResponsesChatCompletionClient
from agentopic.ext.models.openai._responses_config import (
    OpenAIResponsesClientConfiguration,
    OpenAIResponsesClientConfigurationConfigModel,
)
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
    "OpenAIResponsesChatCompletionClient",
    "OpenAIResponsesClientConfiguration",
    "OpenAIResponsesClientConfigurationConfigModel",
    "load_encoding",
]
