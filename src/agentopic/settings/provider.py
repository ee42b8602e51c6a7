"""`ProviderSettings`: keys and addresses of model providers, named as their SDKs name them."""

from __future__ import annotations

import os
from typing import ClassVar

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings

from agentopic.settings.sources import aliases


class ProviderSettings(BaseSettings):
    """The part of the settings about who is asked for completions."""

    secret_fields: ClassVar[frozenset[str]] = frozenset({"openai_api_key", "anthropic_api_key", "gemini_api_key"})
    provider_fields: ClassVar[tuple[str, ...]] = (
        "openai_api_key", "openai_base_url", "azure_openai_endpoint", "anthropic_api_key", "gemini_api_key",
    )  # fmt: skip

    openai_api_key: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("OPENAI_API_KEY"),
        description="Key of OpenAI or a compatible server.",
    )
    openai_base_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("OPENAI_BASE_URL"),
        description="Address of a compatible server.",
    )
    azure_openai_endpoint: str | None = Field(
        default=None,
        validation_alias=AliasChoices("AZURE_OPENAI_ENDPOINT"),
        description="Azure OpenAI endpoint.",
    )
    anthropic_api_key: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("ANTHROPIC_API_KEY"), description="Key of Anthropic."
    )
    gemini_api_key: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("GEMINI_API_KEY"), description="Key of Google Gemini."
    )

    def export_provider_keys(self) -> None:
        """Put provider keys that came from files into this process's environment, where the SDKs look.

        A variable that is set stays as it is.
        """
        for name in self.provider_fields:
            value: SecretStr | str | None = getattr(self, name)
            if value:
                text = value.get_secret_value() if isinstance(value, SecretStr) else value
                os.environ.setdefault(aliases(type(self), name)[0], text)
