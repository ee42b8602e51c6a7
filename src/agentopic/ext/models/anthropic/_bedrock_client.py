"""`AnthropicBedrockChatCompletionClient`: Claude as Amazon Bedrock serves it."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, Self, cast

from anthropic.lib.bedrock import AsyncAnthropicBedrock
from pydantic import SecretStr
from typing_extensions import Unpack

from agentopic.concealment import conceal
from agentopic.core import Component
from agentopic.errors import MissingExtraError
from agentopic.ext.models._client import to_arguments, to_component_config
from agentopic.ext.models.anthropic._chat_client import BaseAnthropicChatCompletionClient
from agentopic.ext.models.anthropic._client_arguments import split_arguments
from agentopic.ext.models.anthropic.config import (
    AnthropicBedrockClientConfiguration,
    AnthropicBedrockClientConfigurationConfigModel,
    BedrockInfo,
)

_SECRETS = ("aws_access_key", "aws_secret_key", "aws_session_token")


class AnthropicBedrockChatCompletionClient(
    BaseAnthropicChatCompletionClient, Component[AnthropicBedrockClientConfigurationConfigModel]
):
    """Chat completion client for Claude models behind Amazon Bedrock.

    `model` is Bedrock's name of the model; credentials and region come from `bedrock_info`, else from the places
    where AWS' tools look for them. Usage is billed under the model's plain name.

    Raises:
        ValueError: the model is missing or not known and no `model_info` is given.
        MissingExtraError: boto3, which signs the calls, is not installed.
    """

    component_type = "model"
    component_config_schema = AnthropicBedrockClientConfigurationConfigModel
    component_provider_override = "autogen_ext.models.anthropic.AnthropicBedrockChatCompletionClient"

    def __init__(self, **kwargs: Unpack[AnthropicBedrockClientConfiguration]) -> None:
        given: dict[str, Any] = dict(kwargs)
        bedrock = cast("BedrockInfo | None", given.pop("bedrock_info", None))
        arguments = split_arguments(given)
        self._given = to_component_config(given)
        if bedrock is not None:
            self._given["bedrock_info"] = _masked(bedrock)
        super().__init__(
            _sdk_client(arguments.sdk, bedrock), create_args=arguments.of_every_call, **arguments.behaviour
        )

    def _to_config(self) -> AnthropicBedrockClientConfigurationConfigModel:
        return AnthropicBedrockClientConfigurationConfigModel.model_validate(self._given)

    @classmethod
    def _from_config(cls, config: AnthropicBedrockClientConfigurationConfigModel) -> Self:
        arguments = to_arguments(config)
        if config.bedrock_info is not None:
            shown = {name: _plain(value) for name, value in config.bedrock_info.items()}
            if all(value.strip("*") for value in shown.values()):
                arguments["bedrock_info"] = shown
            else:
                del arguments["bedrock_info"]
        return cls(**arguments)


def _masked(bedrock: BedrockInfo) -> dict[str, Any]:
    info: dict[str, Any] = dict(bedrock)
    for name in _SECRETS:
        conceal(info[name])
        info[name] = SecretStr(info[name])
    return info


def _plain(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _sdk_client(arguments: dict[str, Any], bedrock: BedrockInfo | None) -> AsyncAnthropicBedrock:
    if find_spec("boto3") is None or find_spec("botocore") is None:
        raise MissingExtraError("AnthropicBedrockChatCompletionClient", "bedrock")
    credentials: dict[str, Any] = dict(bedrock) if bedrock else {}
    return AsyncAnthropicBedrock(max_retries=0, **arguments, **credentials)
