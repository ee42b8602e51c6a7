"""What a CodeExecutorAgent is configured with and what it asks: for approval of code, for another try."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from pydantic import BaseModel

from agentopic.core import ComponentModel
from agentopic.core.models import LLMMessage


class CodeExecutorAgentConfig(BaseModel):
    """Config of CodeExecutorAgent."""

    name: str
    code_executor: ComponentModel
    model_client: ComponentModel | None = None
    description: str | None = None
    sources: list[str] | None = None
    system_message: str | None = None
    model_client_stream: bool = False
    model_context: ComponentModel | None = None
    supported_languages: list[str] | None = None


class RetryDecision(BaseModel):
    """Whether the model wants to write code that failed anew, and how."""

    reason: str
    retry: bool


class ApprovalRequest(BaseModel):
    """Code that is about to run, in Markdown fences, and the conversation it came of."""

    code: str
    context: list[LLMMessage]


class ApprovalResponse(BaseModel):
    """Whether the code may run, and why."""

    approved: bool
    reason: str


SyncApprovalFunc: TypeAlias = Callable[[ApprovalRequest], ApprovalResponse]
AsyncApprovalFunc: TypeAlias = Callable[[ApprovalRequest], Awaitable[ApprovalResponse]]
ApprovalFuncType: TypeAlias = SyncApprovalFunc | AsyncApprovalFunc
