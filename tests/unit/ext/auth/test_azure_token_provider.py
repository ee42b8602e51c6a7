from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from agentopic.errors import ComponentError
from agentopic.ext.auth.azure import AzureTokenProvider
from agentopic.ext.models.openai import AzureOpenAIChatCompletionClient


class DefaultAzureCredential:
    """Stands in for the credential of the same name."""

    def get_token(self, *scopes: str) -> Any:
        return SimpleNamespace(token=f"token for {' '.join(scopes)}")


class OtherCredential(DefaultAzureCredential): ...


def test_a_token_is_given_at_every_call() -> None:
    provider = AzureTokenProvider(DefaultAzureCredential(), "https://x/.default")

    assert provider() == "token for https://x/.default"


async def test_it_is_part_of_the_dump_of_a_model_client() -> None:
    client = AzureOpenAIChatCompletionClient(
        model="gpt-4o",
        azure_endpoint="https://x.openai.azure.com",
        api_version="2024-06-01",
        azure_ad_token_provider=AzureTokenProvider(DefaultAzureCredential(), "scope"),
    )

    config = client.dump_component().model_dump(mode="json")["config"]

    assert config["azure_ad_token_provider"]["provider"] == "autogen_ext.auth.azure.AzureTokenProvider"
    assert config["azure_ad_token_provider"]["config"] == {
        "provider_kind": "DefaultAzureCredential",
        "scopes": ["scope"],
    }
    await client.close()


async def test_a_plain_function_cannot_be_dumped() -> None:
    client = AzureOpenAIChatCompletionClient(
        model="gpt-4o",
        azure_endpoint="https://x.openai.azure.com",
        api_version="2024-06-01",
        azure_ad_token_provider=lambda: "token",
    )

    with pytest.raises(ComponentError, match="azure_ad_token_provider"):
        client.dump_component()
    await client.close()


def test_only_the_default_credential_is_written_as_json() -> None:
    with pytest.raises(ComponentError, match="DefaultAzureCredential"):
        AzureTokenProvider(OtherCredential(), "scope").dump_component()
