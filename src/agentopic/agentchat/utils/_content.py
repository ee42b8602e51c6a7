"""Message contents as text, and conversations without their images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from pydantic import BaseModel

from agentopic.core import FunctionCall, Image
from agentopic.core.models import FunctionExecutionResult, LLMMessage, UserMessage

Content: TypeAlias = (
    str | Sequence[str | Image] | Sequence[FunctionCall] | Sequence[FunctionExecutionResult] | BaseModel
)


def content_to_str(content: Content) -> str:
    """Any content as text: parts as lines, images as `<image>`, objects as JSON, calls and results as `str` has it."""
    if isinstance(content, str):
        return content
    if isinstance(content, BaseModel):
        return content.model_dump_json()
    return "\n".join(_part(part) for part in content)


def remove_images(messages: Sequence[LLMMessage]) -> list[LLMMessage]:
    """The conversation for a model that takes no images: they become `<image>`."""
    return [
        message.model_copy(update={"content": content_to_str(message.content)})
        if isinstance(message, UserMessage) and not isinstance(message.content, str)
        else message
        for message in messages
    ]


def _part(part: Any) -> str:
    return "<image>" if isinstance(part, Image) else str(part)
