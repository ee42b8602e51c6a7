"""What goes to a model and what comes back: messages, results, usage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, Field

from agentopic.core._function_call import FunctionCall
from agentopic.core._image import Image


class SystemMessage(BaseModel):
    """Instructions of the developer to the model."""

    content: str
    type: Literal["SystemMessage"] = "SystemMessage"


class UserMessage(BaseModel):
    """What a person or another agent says to the model; may hold images."""

    content: str | list[str | Image]
    source: str
    """The name of the agent that said it."""
    type: Literal["UserMessage"] = "UserMessage"


class AssistantMessage(BaseModel):
    """What the model said: text, or the tool calls it asked for."""

    content: str | list[FunctionCall]
    thought: str | None = None
    """The reasoning text beside the content, where the provider gives one."""
    source: str
    type: Literal["AssistantMessage"] = "AssistantMessage"


class FunctionExecutionResult(BaseModel):
    """The outcome of one tool call, as text for the model."""

    content: str
    name: str
    call_id: str
    """The id of the FunctionCall this answers."""
    is_error: bool | None = None


class FunctionExecutionResultMessage(BaseModel):
    """The outcomes of the tool calls of one AssistantMessage."""

    content: list[FunctionExecutionResult]
    type: Literal["FunctionExecutionResultMessage"] = "FunctionExecutionResultMessage"


LLMMessage: TypeAlias = Annotated[
    SystemMessage | UserMessage | AssistantMessage | FunctionExecutionResultMessage,
    Field(discriminator="type"),
]
"""Any message of a model's context; told apart by `type`."""


@dataclass
class RequestUsage:
    """Tokens of one model call, or of several together."""

    prompt_tokens: int
    completion_tokens: int


@dataclass
class CachedRequestUsage(RequestUsage):
    """Tokens of a call whose input came in part from the provider's own prompt cache.

    Only a fresh answer has it: stored and sent, it is a plain RequestUsage.
    """

    cached_tokens: int = 0


FinishReasons: TypeAlias = Literal["stop", "length", "function_calls", "content_filter", "unknown"]
"""Why a model stopped."""


@dataclass
class TopLogprob:
    """One alternative at a token's position."""

    logprob: float
    bytes: list[int] | None = None


class ChatCompletionTokenLogprob(BaseModel):
    """A token with its logarithmic probability and the likeliest alternatives."""

    token: str
    logprob: float
    top_logprobs: list[TopLogprob] | None = None
    bytes: list[int] | None = None


class CreateResult(BaseModel):
    """The answer of one model call."""

    finish_reason: FinishReasons
    content: str | list[FunctionCall]
    usage: RequestUsage
    cached: bool
    """Whether the answer came from a cache, so that nothing was paid."""
    logprobs: list[ChatCompletionTokenLogprob] | None = None
    thought: str | None = None
