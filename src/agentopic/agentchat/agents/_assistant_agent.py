"""`AssistantAgent`: a model with tools, handoffs, memory and a conversation."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Self, cast

from pydantic import BaseModel

from agentopic.agentchat.agents._assistant_answer import AssistantAnswer
from agentopic.agentchat.agents._assistant_config import AssistantAgentConfig, AssistantOptions
from agentopic.agentchat.agents._base_chat_agent import BaseChatAgent
from agentopic.agentchat.agents._remembering import remember
from agentopic.agentchat.agents._workbench_state import load_workbenches, save_workbenches
from agentopic.agentchat.approval import ApprovalPolicy, ApprovalWorkbench, ToolApprovalFunc
from agentopic.agentchat.base import Handoff, Response
from agentopic.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    HandoffMessage,
    MemoryQueryEvent,
    StructuredMessageFactory,
    TextMessage,
    ToolCallSummaryMessage,
)
from agentopic.agentchat.state import AssistantAgentState
from agentopic.core import CancellationToken, Component, FunctionCall
from agentopic.core.memory import Memory
from agentopic.core.model_context import ChatCompletionContext, UnboundedChatCompletionContext
from agentopic.core.models import ChatCompletionClient, FunctionExecutionResult, SystemMessage
from agentopic.core.tools import BaseTool, FunctionTool, StaticStreamWorkbench, Workbench
from agentopic.errors import AgentopicError, ComponentError

_DESCRIPTION = "An agent that provides assistance with ability to use tools."
_SYSTEM_MESSAGE = (
    "You are a helpful AI assistant. Solve tasks using your tools. "
    "Reply with TERMINATE when the task has been completed."
)


class AssistantAgent(BaseChatAgent, Component[AssistantAgentConfig]):
    """Answers by asking a model, which may call tools or pass the conversation to another agent.

    The model is asked at most `max_tool_iterations` times as long as it calls tools; all tools it asks for at once
    run side by side. Afterwards the results are put into words by the model (`reflect_on_tool_use`, default True
    with an `output_content_type`), or summarised as they are. The first handoff among the calls ends the answer.
    With `output_content_type` answers are StructuredMessages of that class. `tool_approval` says which tool calls are
    made, refused, or put before a person (see ApprovalWorkbench).

    Inside a durable turn each model and tool call is recorded, and message ids and times come from the turn.

    Raises:
        ValueError: names are not unique, tools and workbench are both given, or the model calls no tools.
    """

    component_version = 2
    component_config_schema = AssistantAgentConfig
    component_provider_override = "autogen_agentchat.agents.AssistantAgent"

    def __init__(
        self,
        name: str,
        model_client: ChatCompletionClient,
        *,
        tools: list[BaseTool[Any, Any] | Callable[..., Any] | Callable[..., Awaitable[Any]]] | None = None,
        workbench: Workbench | Sequence[Workbench] | None = None,
        handoffs: list[Handoff | str] | None = None,
        model_context: ChatCompletionContext | None = None,
        description: str = _DESCRIPTION,
        system_message: str | None = _SYSTEM_MESSAGE,
        model_client_stream: bool = False,
        reflect_on_tool_use: bool | None = None,
        max_tool_iterations: int = 1,
        tool_call_summary_format: str = "{result}",
        tool_call_summary_formatter: Callable[[FunctionCall, FunctionExecutionResult], str] | None = None,
        output_content_type: type[BaseModel] | None = None,
        output_content_type_format: str | None = None,
        memory: Sequence[Memory] | None = None,
        metadata: dict[str, str] | None = None,
        tool_approval: ApprovalPolicy | None = None,
        tool_approval_func: ToolApprovalFunc | None = None,
    ) -> None:
        super().__init__(name=name, description=description)
        if max_tool_iterations < 1:
            raise ValueError(f"max_tool_iterations must be at least 1, got {max_tool_iterations}")
        own_tools = [_as_tool(tool) for tool in tools or ()]
        transfers = [_as_handoff(handoff) for handoff in handoffs or ()]
        _check_tools(model_client, own_tools, transfers, workbench)
        self._memory = list(memory or ())
        self._metadata = metadata or {}
        self._structured_message_factory = (
            StructuredMessageFactory(input_model=output_content_type, format_string=output_content_type_format)
            if output_content_type
            else None
        )
        self._options = AssistantOptions(
            name=name,
            model_client=model_client,
            model_context=model_context or UnboundedChatCompletionContext(),
            system_messages=[] if system_message is None else [SystemMessage(content=system_message)],
            workbenches=_approved(_workbenches(workbench, own_tools), tool_approval, tool_approval_func),
            handoffs={handoff.name: handoff for handoff in transfers},
            handoff_tools=[handoff.handoff_tool for handoff in transfers],
            stream=model_client_stream,
            reflect_on_tool_use=(
                output_content_type is not None if reflect_on_tool_use is None else reflect_on_tool_use
            ),
            max_tool_iterations=max_tool_iterations,
            tool_call_summary_format=tool_call_summary_format,
            tool_call_summary_formatter=tool_call_summary_formatter,
            output_content_type=output_content_type,
            output_message_type=(
                self._structured_message_factory.StructuredMessage if self._structured_message_factory else None
            ),
            output_format=output_content_type_format,
        )

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        """Text, summaries and handoffs; with an output class also its StructuredMessage."""
        types: list[type[BaseChatMessage]] = [TextMessage, ToolCallSummaryMessage, HandoffMessage]
        if self._options.output_message_type is not None:
            types.append(self._options.output_message_type)
        return types

    @property
    def model_context(self) -> ChatCompletionContext:
        """The conversation as the model is told it."""
        return self._options.model_context

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        """Answer new messages."""
        items = [item async for item in self.on_messages_stream(messages, cancellation_token)]
        response = items[-1]
        if not isinstance(response, Response):
            raise AgentopicError(f"agent {self.name!r} ended its stream without a Response")
        return response

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        """Answer new messages and show what happens; raises as AssistantAnswer.items."""
        await remember(messages, self.model_context)
        inner_messages: list[BaseAgentEvent | BaseChatMessage] = []
        for memory in self._memory:
            update = await memory.update_context(self.model_context)
            if update.memories.results:
                event = MemoryQueryEvent(content=update.memories.results, source=self.name)
                inner_messages.append(event)
                yield event
        answer = AssistantAnswer(self._options, inner_messages, cancellation_token)
        async with aclosing(answer.items()) as items:
            async for item in items:
                yield item

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """Forget the conversation."""
        await self.model_context.clear()

    async def save_state(self) -> Mapping[str, Any]:
        """The conversation, and what the tools remember if they do, which AutoGen leaves out."""
        state = AssistantAgentState(llm_context=await self.model_context.save_state()).model_dump()
        workbenches = await save_workbenches(self._options.workbenches)
        return state if workbenches is None else {**state, "workbenches": workbenches}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over a saved conversation, of AutoGen's or with what the tools remember."""
        await self.model_context.load_state(AssistantAgentState.model_validate(state).llm_context)
        await load_workbenches(self._options.workbenches, state.get("workbenches", ()))

    def _to_config(self) -> AssistantAgentConfig:
        options = self._options
        if options.tool_call_summary_formatter is not None:
            raise ComponentError("an agent with a tool_call_summary_formatter cannot be written as JSON")
        factory = self._structured_message_factory
        return AssistantAgentConfig(
            name=self.name,
            model_client=options.model_client.dump_component(),
            workbench=[workbench.dump_component() for workbench in options.workbenches],
            handoffs=list(options.handoffs.values()) or None,
            model_context=options.model_context.dump_component(),
            memory=[memory.dump_component() for memory in self._memory] or None,
            description=self.description,
            system_message=options.system_messages[0].content if options.system_messages else None,
            model_client_stream=options.stream,
            reflect_on_tool_use=options.reflect_on_tool_use,
            max_tool_iterations=options.max_tool_iterations,
            tool_call_summary_format=options.tool_call_summary_format,
            structured_message_factory=factory.dump_component() if factory else None,
            metadata=self._metadata,
        )

    @classmethod
    def _from_config(cls, config: AssistantAgentConfig) -> Self:
        factory = config.structured_message_factory and StructuredMessageFactory.load_component(
            config.structured_message_factory
        )
        return cls(
            name=config.name,
            model_client=ChatCompletionClient.load_component(config.model_client),
            tools=[BaseTool.load_component(tool) for tool in config.tools] if config.tools else None,
            workbench=[Workbench.load_component(w) for w in config.workbench] if config.workbench else None,
            handoffs=config.handoffs,
            model_context=config.model_context and ChatCompletionContext.load_component(config.model_context),
            memory=[Memory.load_component(memory) for memory in config.memory] if config.memory else None,
            description=config.description,
            system_message=config.system_message,
            model_client_stream=config.model_client_stream,
            reflect_on_tool_use=config.reflect_on_tool_use,
            max_tool_iterations=config.max_tool_iterations,
            tool_call_summary_format=config.tool_call_summary_format,
            output_content_type=factory.ContentModel if factory else None,
            output_content_type_format=factory.format_string if factory else None,
            metadata=config.metadata,
        )


def _approved(
    workbenches: list[Workbench], policy: ApprovalPolicy | None, func: ToolApprovalFunc | None
) -> list[Workbench]:
    if policy is None:
        return workbenches
    return [ApprovalWorkbench(workbench, policy, approval_func=func) for workbench in workbenches]


def _as_tool(tool: Any) -> BaseTool[Any, Any]:
    if isinstance(tool, BaseTool):
        return cast("BaseTool[Any, Any]", tool)
    if callable(tool):
        return FunctionTool(tool, description=tool.__doc__ or "")
    raise ValueError(f"Unsupported tool type: {type(tool)}")


def _as_handoff(handoff: Any) -> Handoff:
    if isinstance(handoff, str):
        return Handoff(target=handoff)
    if isinstance(handoff, Handoff):
        return handoff
    raise ValueError(f"Unsupported handoff type: {type(handoff)}")


def _check_tools(
    model_client: ChatCompletionClient,
    tools: Sequence[BaseTool[Any, Any]],
    handoffs: Sequence[Handoff],
    workbench: Workbench | Sequence[Workbench] | None,
) -> None:
    if tools and workbench is not None:
        raise ValueError("Tools cannot be used with a workbench.")
    if (tools or handoffs) and not model_client.model_info["function_calling"]:
        raise ValueError("The model does not support function calling.")
    _check_unique("Tool", [tool.name for tool in tools])
    _check_unique("Handoff", [handoff.name for handoff in handoffs])
    _check_unique("Tool and handoff", [item.name for item in (*tools, *handoffs)])


def _check_unique(kind: str, names: Iterable[str]) -> None:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise ValueError(f"{kind} names must be unique: {repeated}")


def _workbenches(workbench: Workbench | Sequence[Workbench] | None, tools: list[BaseTool[Any, Any]]) -> list[Workbench]:
    if workbench is None:
        return [StaticStreamWorkbench(tools)]
    return [workbench] if isinstance(workbench, Workbench) else list(workbench)
