"""What an AssistantAgent is made of: its options, and the same as component config."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, Field

from agentopic.agentchat.base import Handoff
from agentopic.agentchat.messages import StructuredMessage
from agentopic.core import ComponentModel, FunctionCall
from agentopic.core.model_context import ChatCompletionContext
from agentopic.core.models import ChatCompletionClient, FunctionExecutionResult, SystemMessage
from agentopic.core.tools import BaseTool, Workbench


class AssistantAgentConfig(BaseModel):
    """Config of AssistantAgent."""

    name: str
    model_client: ComponentModel
    tools: list[ComponentModel] | None = None
    workbench: list[ComponentModel] | None = None
    handoffs: list[Handoff | str] | None = None
    model_context: ComponentModel | None = None
    memory: list[ComponentModel] | None = None
    description: str
    system_message: str | None = None
    model_client_stream: bool = False
    reflect_on_tool_use: bool
    tool_call_summary_format: str
    max_tool_iterations: int = Field(default=1, ge=1)
    metadata: dict[str, str] | None = None
    structured_message_factory: ComponentModel | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssistantOptions:
    """How an assistant answers; fixed at construction."""

    name: str
    model_client: ChatCompletionClient
    model_context: ChatCompletionContext
    system_messages: Sequence[SystemMessage]
    workbenches: Sequence[Workbench]
    handoffs: dict[str, Handoff]
    """Transfers by the names of their tools."""
    handoff_tools: Sequence[BaseTool[BaseModel, BaseModel]]
    stream: bool
    reflect_on_tool_use: bool
    max_tool_iterations: int
    tool_call_summary_format: str
    tool_call_summary_formatter: Callable[[FunctionCall, FunctionExecutionResult], str] | None
    output_content_type: type[BaseModel] | None
    output_message_type: type[StructuredMessage[BaseModel]] | None
    output_format: str | None
