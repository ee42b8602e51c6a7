"""Clients for Claude behind Anthropic's API and behind Amazon Bedrock, as in `autogen_ext.models.anthropic`."""

from importlib.util import find_spec

from agentopic.errors import MissingExtraError

if find_spec("anthropic") is None:
    raise MissingExtraError("agentopic.ext.models.anthropic", "anthropic")

from agentopic.ext.models.anthropic._anthropic_client import AnthropicChatCompletionClient
from agentopic.ext.models.anthropic._bedrock_client import AnthropicBedrockChatCompletionClient
from agentopic.ext.models.anthropic._chat_client import BaseAnthropicChatCompletionClient
from agentopic.ext.models.anthropic.config import (
    AnthropicBedrockClientConfiguration,
    AnthropicBedrockClientConfigurationConfigModel,
    AnthropicClientConfiguration,
    AnthropicClientConfigurationConfigModel,
    BedrockInfo,
    CreateArgumentsConfigModel,
)

__all__ = [
    "AnthropicBedrockChatCompletionClient",
    "AnthropicBedrockClientConfiguration",
    "AnthropicBedrockClientConfigurationConfigModel",
    "AnthropicChatCompletionClient",
    "AnthropicClientConfiguration",
    "AnthropicClientConfigurationConfigModel",
    "BaseAnthropicChatCompletionClient",
    "BedrockInfo",
    "CreateArgumentsConfigModel",
]
