"""`TokenLimitedChatCompletionContext`: the model sees as much as its window holds."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel

from agentopic.core._component_config import Component, ComponentModel
from agentopic.core.model_context._chat_completion_context import (
    ChatCompletionContext,
    without_leading_results,
)
from agentopic.core.models._model_client import ChatCompletionClient
from agentopic.core.models._types import LLMMessage
from agentopic.core.tools._tool_schema import ToolSchema


class TokenLimitedChatCompletionContextConfig(BaseModel):
    """Config of TokenLimitedChatCompletionContext."""

    model_client: ComponentModel
    token_limit: int | None = None
    tool_schema: list[ToolSchema] | None = None
    initial_messages: list[LLMMessage] | None = None


class TokenLimitedChatCompletionContext(ChatCompletionContext, Component[TokenLimitedChatCompletionContextConfig]):
    """Shows what fits: messages are taken out from the middle until the rest is within the limit.

    The limit is `token_limit`, or what the model client says is left of its window.
    """

    component_config_schema = TokenLimitedChatCompletionContextConfig
    component_provider_override = "autogen_core.model_context.TokenLimitedChatCompletionContext"

    def __init__(
        self,
        model_client: ChatCompletionClient,
        *,
        token_limit: int | None = None,
        tool_schema: list[ToolSchema] | None = None,
        initial_messages: list[LLMMessage] | None = None,
    ) -> None:
        super().__init__(initial_messages)
        if token_limit is not None and token_limit <= 0:
            raise ValueError("token_limit must be greater than 0.")
        self._token_limit = token_limit
        self._model_client = model_client
        self._tool_schema = tool_schema or []

    async def get_messages(self) -> list[LLMMessage]:
        """The messages that fit, without a tool result at the start whose call is gone."""
        messages = list(self._messages)
        while messages and not self._fits(messages):
            messages.pop(len(messages) // 2)
        return without_leading_results(messages)

    def _fits(self, messages: list[LLMMessage]) -> bool:
        if self._token_limit is None:
            return self._model_client.remaining_tokens(messages, tools=self._tool_schema) >= 0
        return self._model_client.count_tokens(messages, tools=self._tool_schema) <= self._token_limit

    def _to_config(self) -> TokenLimitedChatCompletionContextConfig:
        return TokenLimitedChatCompletionContextConfig(
            model_client=self._model_client.dump_component(),
            token_limit=self._token_limit,
            tool_schema=self._tool_schema,
            initial_messages=self._initial_messages,
        )

    @classmethod
    def _from_config(cls, config: TokenLimitedChatCompletionContextConfig) -> Self:
        return cls(
            ChatCompletionClient.load_component(config.model_client),
            token_limit=config.token_limit,
            tool_schema=config.tool_schema,
            initial_messages=config.initial_messages,
        )
