"""The model of the demo's agents: whatever speaks OpenAI's API at the address the settings give."""

from __future__ import annotations

from functools import cache

from agentopic.core.models import ChatCompletionClient, ModelInfo
from agentopic.ext.models.openai import OpenAIChatCompletionClient
from agentopic.ext.models.openai.config import OpenAIClientConfiguration
from agentopic.settings import Settings

# What the demo asks of a model that is not in the client's table.
_ABLE = ModelInfo(vision=False, function_calling=True, json_output=True, structured_output=True, family="unknown")


@cache
def model_client() -> ChatCompletionClient:
    """Return this process's client, shared by its agents.

    Raises:
        ConfigError: there is no key.
    """
    settings = Settings()
    return client_for(settings.demo_model, settings.openai_base_url, timeout_seconds=settings.model_timeout_seconds)


def client_for(model: str, base_url: str | None, *, timeout_seconds: float = 30.0) -> ChatCompletionClient:
    """Return a client for a model, known or not, at an address; without one at its provider's.

    Raises:
        ConfigError: there is no key.
    """
    # The address is handed over, not left to the SDK: for some names the client has an address of its own.
    given = OpenAIClientConfiguration(model=model, timeout=timeout_seconds)
    if base_url is not None:
        given["base_url"] = base_url
    try:
        return OpenAIChatCompletionClient(**given)
    except ValueError:
        given["model_info"] = _ABLE
        return OpenAIChatCompletionClient(**given)
