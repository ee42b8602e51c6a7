"""Tokens for Azure services, as in `autogen_ext.auth.azure`."""

from agentopic.ext.auth.azure._token_provider import AzureTokenProvider, TokenProviderConfig

__all__ = ["AzureTokenProvider", "TokenProviderConfig"]
