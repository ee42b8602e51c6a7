"""`AzureTokenProvider`: fresh Azure AD tokens from a credential of the azure-identity package."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol, Self, cast

from pydantic import BaseModel

from agentopic.core import Component, ComponentBase
from agentopic.errors import ComponentError, ConfigError


class _Token(Protocol):
    token: str


class _Credential(Protocol):
    def get_token(self, *scopes: str) -> _Token: ...


class TokenProviderConfig(BaseModel):
    """Config of AzureTokenProvider: the kind of credential and the scopes of its tokens."""

    provider_kind: str
    scopes: list[str]


class AzureTokenProvider(ComponentBase[TokenProviderConfig], Component[TokenProviderConfig]):
    """Gives a token whenever it is called; the credential renews it when needed.

    Raises:
        ConfigError: azure-identity is not installed, when it is loaded from JSON.
    """

    component_type = "token_provider"
    component_config_schema = TokenProviderConfig
    component_provider_override = "autogen_ext.auth.azure.AzureTokenProvider"

    def __init__(self, credential: _Credential, *scopes: str) -> None:
        self.credential = credential
        self.scopes = list(scopes)

    def __call__(self) -> str:
        return self.credential.get_token(*self.scopes).token

    def _to_config(self) -> TokenProviderConfig:
        kind = type(self.credential).__name__
        if kind != _DEFAULT_CREDENTIAL:
            raise ComponentError(f"only {_DEFAULT_CREDENTIAL} can be written as JSON, not {kind}")
        return TokenProviderConfig(provider_kind=kind, scopes=self.scopes)

    @classmethod
    def _from_config(cls, config: TokenProviderConfig) -> Self:
        if config.provider_kind != _DEFAULT_CREDENTIAL:
            raise ComponentError(f"only {_DEFAULT_CREDENTIAL} can be built from JSON, not {config.provider_kind}")
        if find_spec("azure") is None or find_spec("azure.identity") is None:
            raise ConfigError("AzureTokenProvider needs the package azure-identity")
        make = cast("Callable[[], Any]", getattr(import_module("azure.identity"), _DEFAULT_CREDENTIAL))
        return cls(make(), *config.scopes)


_DEFAULT_CREDENTIAL = "DefaultAzureCredential"
