"""`AzureOpenAIChatCompletionClient`: OpenAI's models as Azure deploys them."""

from __future__ import annotations

from typing import Any, Self

from openai import AsyncAzureOpenAI, OpenAIError
from typing_extensions import Unpack

from agentopic.concealment import conceal
from agentopic.core import Component, ComponentBase, ComponentLoader
from agentopic.core._component_config import is_component_instance
from agentopic.errors import ComponentError, ConfigError
from agentopic.ext.models._client import to_arguments, to_component_config
from agentopic.ext.models.openai._chat_client import BaseOpenAIChatCompletionClient
from agentopic.ext.models.openai._create_arguments import split_arguments
from agentopic.ext.models.openai.config import (
    AzureOpenAIClientConfiguration,
    AzureOpenAIClientConfigurationConfigModel,
)

AZURE_OPENAI_USER_AGENT = "agentopic-python"
"""Sent to Azure as the user agent, before one the caller gives."""


class AzureOpenAIChatCompletionClient(
    BaseOpenAIChatCompletionClient, Component[AzureOpenAIClientConfigurationConfigModel]
):
    """Chat completion client for models behind Azure's OpenAI service.

    `model`, `azure_endpoint` and `api_version` are required; credentials are one of `api_key`, `azure_ad_token`,
    `azure_ad_token_provider`, or the environment variables the SDK names for them.

    Raises:
        ValueError: a required argument is missing, or the model is not known and no `model_info` is given.
        ConfigError: there are no credentials.
    """

    component_type = "model"
    component_config_schema = AzureOpenAIClientConfigurationConfigModel
    component_provider_override = "autogen_ext.models.openai.AzureOpenAIChatCompletionClient"

    def __init__(self, **kwargs: Unpack[AzureOpenAIClientConfiguration]) -> None:
        given: dict[str, Any] = dict(kwargs)
        arguments = split_arguments(given)
        self._given = to_component_config(given)
        super().__init__(_sdk_client(arguments.sdk), create_args=arguments.of_every_call, **arguments.behaviour)

    def _to_config(self) -> AzureOpenAIClientConfigurationConfigModel:
        config = dict(self._given)
        provider = config.get("azure_ad_token_provider")
        if provider is not None:
            if not is_component_instance(provider):
                raise ComponentError("azure_ad_token_provider is no component and cannot be written as JSON")
            config["azure_ad_token_provider"] = provider.dump_component()
        return AzureOpenAIClientConfigurationConfigModel.model_validate(config)

    @classmethod
    def _from_config(cls, config: AzureOpenAIClientConfigurationConfigModel) -> Self:
        arguments = to_arguments(config)
        if config.azure_ad_token_provider is not None:
            arguments["azure_ad_token_provider"] = ComponentLoader.load_component(
                config.azure_ad_token_provider, expected=ComponentBase
            )
        return cls(**arguments)


def _sdk_client(arguments: dict[str, Any]) -> AsyncAzureOpenAI:
    headers = dict(arguments.pop("default_headers", None) or {})
    agent = headers.pop("User-Agent", None)
    headers["User-Agent"] = f"{AZURE_OPENAI_USER_AGENT} {agent}" if agent else AZURE_OPENAI_USER_AGENT
    try:
        client = AsyncAzureOpenAI(max_retries=0, default_headers=headers, **arguments)
    except OpenAIError as exc:
        raise ConfigError(f"no credentials for the model on Azure ({exc})") from exc
    conceal(client.api_key)  # it may come from the environment
    return client
