"""Constructor arguments as component config and back, without secrets leaving the process."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, SecretStr

from agentopic.concealment import conceal
from agentopic.ext._wire_secrets import conceal_headers, is_secret_header

_SECRETS = frozenset({"api_key", "azure_ad_token"})


def to_component_config(given: dict[str, Any], *, headers: str = "default_headers") -> dict[str, Any]:
    """Constructor arguments as component config: secrets masked, without headers that carry credentials."""
    config = dict(given)
    for name in _SECRETS & config.keys():
        if isinstance(config[name], str):
            conceal(config[name])
            config[name] = SecretStr(config[name])
    sent: dict[str, str] = config.get(headers) or {}
    if sent:
        conceal_headers(sent)
        config[headers] = {name: value for name, value in sent.items() if not is_secret_header(name)}
    return config


def to_arguments(config: BaseModel) -> dict[str, Any]:
    """Component config as constructor arguments; a secret that only shows its mask counts as not given."""
    arguments = config.model_dump(exclude_unset=True, exclude_none=True)
    for name, value in list(arguments.items()):
        if isinstance(value, SecretStr):
            secret = value.get_secret_value()
            if secret.strip("*"):
                arguments[name] = secret
            else:
                del arguments[name]
    return arguments
