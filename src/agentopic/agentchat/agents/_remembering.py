"""Puts chat messages into a model's conversation."""

from __future__ import annotations

from collections.abc import Sequence

from agentopic.agentchat.messages import BaseChatMessage, HandoffMessage
from agentopic.core.model_context import ChatCompletionContext


async def remember(messages: Sequence[BaseChatMessage], model_context: ChatCompletionContext) -> None:
    """Add the messages in order; a handoff's context comes before the handoff itself."""
    for message in messages:
        if isinstance(message, HandoffMessage):
            for context_message in message.context:
                await model_context.add_message(context_message)
        await model_context.add_message(message.to_model_message())
