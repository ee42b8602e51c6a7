"""What a model is shown of a conversation, as in `autogen_core.model_context`."""

from agentopic.core.model_context._buffered import BufferedChatCompletionContext
from agentopic.core.model_context._chat_completion_context import (
    ChatCompletionContext,
    ChatCompletionContextState,
)
from agentopic.core.model_context._head_and_tail import HeadAndTailChatCompletionContext
from agentopic.core.model_context._token_limited import TokenLimitedChatCompletionContext
from agentopic.core.model_context._unbounded import UnboundedChatCompletionContext

__all__ = [
    "BufferedChatCompletionContext",
    "ChatCompletionContext",
    "ChatCompletionContextState",
    "HeadAndTailChatCompletionContext",
    "TokenLimitedChatCompletionContext",
    "UnboundedChatCompletionContext",
]
