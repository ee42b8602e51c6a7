"""`OpenAIChatCompletionClient`: OpenAI's models, and every server that speaks the same API."""

from __future__ import annotations

from typing import Any, Self

from openai import AsyncOpenAI, OpenAIError
from typing_extensions import Unpack

from agentopic.concealment import conceal
from agentopic.core import Component
from agentopic.errors import ConfigError
from agentopic.ext.models._client import to_arguments, to_component_config
from agentopic.ext.models.openai._chat_client import BaseOpenAIChatCompletionClient
from agentopic.ext.models.openai._create_arguments import split_arguments
from agentopic.ext.models.openai._model_table import default_base_url
from agentopic.ext.models.openai.config import (
    OpenAIClientConfiguration,
    OpenAIClientConfigurationConfigModel,
)


class OpenAIChatCompletionClient(BaseOpenAIChatCompletionClient, Component[OpenAIClientConfigurationConfigModel]):
    """Chat completion client for models behind OpenAI's API.

    `model` is required; the key comes from `api_key` or OPENAI_API_KEY, the server from `base_url` or
    OPENAI_BASE_URL. Every argument of the API can be given here for all calls.

    Raises:
        ValueError: the model is missing or not known and no `model_info` is given.
        ConfigError: there is no key.
    """

    component_type = "model"
    component_config_schema = OpenAIClientConfigurationConfigModel
    component_provider_override = "autogen_ext.models.openai.OpenAIChatCompletionClient"

    def __init__(self, **kwargs: Unpack[OpenAIClientConfiguration]) -> None:
        given: dict[str, Any] = dict(kwargs)
        arguments = split_arguments(given)
        self._given = to_component_config(given)
        arguments.sdk.setdefault("base_url", default_base_url(arguments.of_every_call["model"]))
        super().__init__(sdk_client(arguments.sdk), create_args=arguments.of_every_call, **arguments.behaviour)

    def _to_config(self) -> OpenAIClientConfigurationConfigModel:
        return OpenAIClientConfigurationConfigModel.model_validate(self._given)

    @classmethod
    def _from_config(cls, config: OpenAIClientConfigurationConfigModel) -> Self:
        return cls(**to_arguments(config))


def sdk_client(arguments: dict[str, Any]) -> AsyncOpenAI:
    """The SDK's client, which repeats nothing itself; ConfigError when there is no key."""
    try:
        client = AsyncOpenAI(max_retries=0, **arguments)
    except OpenAIError as exc:
        raise ConfigError(f"no credentials for the model: give api_key or set OPENAI_API_KEY ({exc})") from exc
    conceal(client.api_key)  # it may come from the environment
    return client
