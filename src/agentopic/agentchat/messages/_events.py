"""The built-in events."""

from __future__ import annotations

import uuid
from typing import Literal

from pydantic import Field

from agentopic.agentchat.messages._base import BaseAgentEvent
from agentopic.core import FunctionCall
from agentopic.core.code_executor import CodeBlock, CodeResult
from agentopic.core.memory import MemoryContent
from agentopic.core.models import FunctionExecutionResult


class ToolCallRequestEvent(BaseAgentEvent):
    """The model asked for tools."""

    content: list[FunctionCall]
    type: Literal["ToolCallRequestEvent"] = "ToolCallRequestEvent"

    def to_text(self) -> str:
        return str(self.content)


class ToolCallExecutionEvent(BaseAgentEvent):
    """Tools were called."""

    content: list[FunctionExecutionResult]
    type: Literal["ToolCallExecutionEvent"] = "ToolCallExecutionEvent"

    def to_text(self) -> str:
        return str(self.content)


class MemoryQueryEvent(BaseAgentEvent):
    """Memories were put into the model's context."""

    content: list[MemoryContent]
    type: Literal["MemoryQueryEvent"] = "MemoryQueryEvent"

    def to_text(self) -> str:
        return str(self.content)


class UserInputRequestedEvent(BaseAgentEvent):
    """A person is asked; `request_id` names the question."""

    request_id: str
    content: Literal[""] = ""
    type: Literal["UserInputRequestedEvent"] = "UserInputRequestedEvent"

    def to_text(self) -> str:
        return str(self.content)


class ModelClientStreamingChunkEvent(BaseAgentEvent):
    """A piece of a model's text as it arrives; never part of a result.

    Its id is random inside a durable turn, too: a later attempt is given a recorded answer in other pieces, and
    must not mint other ids for what comes after them.
    """

    id: str = Field(default_factory=lambda: str(uuid.uuid4()))
    content: str
    full_message_id: str | None = None
    """The id that the whole message will have."""
    type: Literal["ModelClientStreamingChunkEvent"] = "ModelClientStreamingChunkEvent"

    def to_text(self) -> str:
        return self.content


class ThoughtEvent(BaseAgentEvent):
    """What a model thought before it answered."""

    content: str
    type: Literal["ThoughtEvent"] = "ThoughtEvent"

    def to_text(self) -> str:
        return self.content


class SelectSpeakerEvent(BaseAgentEvent):
    """A team chose who speaks next."""

    content: list[str]
    type: Literal["SelectSpeakerEvent"] = "SelectSpeakerEvent"

    def to_text(self) -> str:
        return str(self.content)


class SelectorEvent(BaseAgentEvent):
    """What a team's selecting model said."""

    content: str
    type: Literal["SelectorEvent"] = "SelectorEvent"

    def to_text(self) -> str:
        return self.content


class CodeGenerationEvent(BaseAgentEvent):
    """An agent wrote code."""

    retry_attempt: int
    content: str
    code_blocks: list[CodeBlock]
    type: Literal["CodeGenerationEvent"] = "CodeGenerationEvent"

    def to_text(self) -> str:
        return self.content


class CodeExecutionEvent(BaseAgentEvent):
    """Code was run."""

    retry_attempt: int
    result: CodeResult
    type: Literal["CodeExecutionEvent"] = "CodeExecutionEvent"

    def to_text(self) -> str:
        return self.result.output
