"""The built-in chat messages."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agentopic.agentchat.messages._base import BaseChatMessage, BaseTextChatMessage
from agentopic.core import FunctionCall, Image
from agentopic.core.models import FunctionExecutionResult, LLMMessage, UserMessage


class TextMessage(BaseTextChatMessage):
    """Text."""

    type: Literal["TextMessage"] = "TextMessage"


class StopMessage(BaseTextChatMessage):
    """Text with the request to stop."""

    type: Literal["StopMessage"] = "StopMessage"


class HandoffMessage(BaseTextChatMessage):
    """Text with the request that another agent goes on."""

    target: str
    """The name of that agent."""
    context: list[LLMMessage] = Field(default_factory=list[LLMMessage])
    """What its model should be told beforehand."""
    type: Literal["HandoffMessage"] = "HandoffMessage"


class ToolCallSummaryMessage(BaseTextChatMessage):
    """The results of tool calls as text, where no model puts them into words."""

    type: Literal["ToolCallSummaryMessage"] = "ToolCallSummaryMessage"
    tool_calls: list[FunctionCall]
    results: list[FunctionExecutionResult]


class MultiModalMessage(BaseChatMessage):
    """Text and images."""

    content: list[str | Image]
    type: Literal["MultiModalMessage"] = "MultiModalMessage"

    def to_text(self, iterm: bool = False) -> str:
        """One line for each part; images as `<image>`, or shown in an iTerm2 terminal."""
        return "\n".join(_shown(part, iterm=iterm) for part in self.content)

    def to_model_text(self, image_placeholder: str | None = "[image]") -> str:
        """The text; images as the placeholder, or as base64 when it is None."""
        return "".join(
            part if isinstance(part, str) else f" {image_placeholder or part.to_base64()}" for part in self.content
        )

    def to_model_message(self) -> UserMessage:
        return UserMessage(content=self.content, source=self.source)


def _shown(part: str | Image, *, iterm: bool) -> str:
    if isinstance(part, str):
        return part
    return f"\033]1337;File=inline=1:{part.to_base64()}\a\n" if iterm else "<image>"
