"""`AnthropicChatCompletionClient`: Claude behind Anthropic's own API."""

from __future__ import annotations

from typing import Any, Self

from anthropic import AnthropicError, AsyncAnthropic
from typing_extensions import Unpack

from agentopic.concealment import conceal
from agentopic.core import Component
from agentopic.errors import ConfigError
from agentopic.ext.models._client import to_arguments, to_component_config
from agentopic.ext.models.anthropic._chat_client import BaseAnthropicChatCompletionClient
from agentopic.ext.models.anthropic._client_arguments import split_arguments
from agentopic.ext.models.anthropic.config import AnthropicClientConfiguration, AnthropicClientConfigurationConfigModel


class AnthropicChatCompletionClient(
    BaseAnthropicChatCompletionClient, Component[AnthropicClientConfigurationConfigModel]
):
    """Chat completion client for Claude models.

    `model` is required; the key comes from `api_key` or ANTHROPIC_API_KEY, the server from `base_url`. Answers have
    at most `max_tokens` (4096) tokens. Every argument of the API can be given here for all calls.

    Raises:
        ValueError: the model is missing or not known and no `model_info` is given.
        ConfigError: there is no key.
    """

    component_type = "model"
    component_config_schema = AnthropicClientConfigurationConfigModel
    component_provider_override = "autogen_ext.models.anthropic.AnthropicChatCompletionClient"

    def __init__(self, **kwargs: Unpack[AnthropicClientConfiguration]) -> None:
        given: dict[str, Any] = dict(kwargs)
        arguments = split_arguments(given)
        self._given = to_component_config(given)
        super().__init__(_sdk_client(arguments.sdk), create_args=arguments.of_every_call, **arguments.behaviour)

    def _to_config(self) -> AnthropicClientConfigurationConfigModel:
        return AnthropicClientConfigurationConfigModel.model_validate(self._given)

    @classmethod
    def _from_config(cls, config: AnthropicClientConfigurationConfigModel) -> Self:
        return cls(**to_arguments(config))


def _sdk_client(arguments: dict[str, Any]) -> AsyncAnthropic:
    try:
        client = AsyncAnthropic(max_retries=0, **arguments)
    except AnthropicError as exc:
        raise ConfigError(f"no credentials for the model: give api_key or set ANTHROPIC_API_KEY ({exc})") from exc
    if client.api_key is None and client.auth_token is None:
        raise ConfigError("no credentials for the model: give api_key or set ANTHROPIC_API_KEY")
    conceal(client.api_key, client.auth_token)  # they may come from the environment
    return client
