"""How an assistant comes to its answer: ask the model, call the tools it wants, ask again."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Literal, TypeAlias, cast

from agentopic.agentchat import EVENT_LOGGER_NAME
from agentopic.agentchat.agents._assistant_config import AssistantOptions
from agentopic.agentchat.agents._tool_execution import execute_tool_calls
from agentopic.agentchat.agents._tool_outcome import Executed, handoff_message, summary_message
from agentopic.agentchat.base import Response
from agentopic.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    ModelClientStreamingChunkEvent,
    TextMessage,
    ThoughtEvent,
    ToolCallExecutionEvent,
    ToolCallRequestEvent,
)
from agentopic.agentchat.utils import remove_images
from agentopic.core import CancellationToken, FunctionCall
from agentopic.core._turn import mint_id
from agentopic.core.models import (
    AssistantMessage,
    CreateResult,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
)
from agentopic.core.tools import Tool, ToolSchema
from agentopic.errors import ModelError

_event_log = logging.getLogger(EVENT_LOGGER_NAME)

Item: TypeAlias = BaseAgentEvent | BaseChatMessage | Response


class AssistantAnswer:
    """One answer in the making; iterate over `items` once. Everything said and done goes into the model context."""

    def __init__(
        self,
        options: AssistantOptions,
        inner_messages: list[BaseAgentEvent | BaseChatMessage],
        cancellation_token: CancellationToken,
    ) -> None:
        self._options = options
        self._inner = inner_messages
        self._token = cancellation_token
        self._result: CreateResult | None = None
        self._executed: Executed = []

    async def items(self) -> AsyncGenerator[Item, None]:
        """Events as they happen, then the Response.

        Raises:
            ModelError: the model gave no usable answer.
            pydantic.ValidationError: its answer does not fit the output class.
        """
        for _ in range(self._options.max_tool_iterations):
            message_id = mint_id()
            async with aclosing(self._ask(message_id, reflecting=False)) as asked:
                async for item in asked:
                    yield item
            result = self._last_result()
            if isinstance(result.content, str):
                yield self._respond(self._final_message(result, message_id))
                return
            async with aclosing(self._use_tools(result.content, result)) as used:
                async for item in used:
                    yield item
            handoff = handoff_message(self._executed, result, self._options)
            if handoff is not None:
                yield self._respond(handoff)
                return
        if not self._options.reflect_on_tool_use:
            yield self._respond(summary_message(self._executed, self._options))
            return
        message_id = mint_id()
        async with aclosing(self._ask(message_id, reflecting=True)) as asked:
            async for item in asked:
                yield item
        yield self._respond(self._final_message(self._last_result(), message_id))

    async def _ask(self, message_id: str, *, reflecting: bool) -> AsyncGenerator[Item, None]:
        call = await self._call_arguments(reflecting=reflecting)
        client = self._options.model_client
        if self._options.stream:
            async with aclosing(client.create_stream(**call)) as chunks:
                async for chunk in chunks:
                    if isinstance(chunk, CreateResult):
                        self._result = chunk
                    else:
                        yield self._chunk(chunk, message_id)
        else:
            self._result = await client.create(**call)
        result = self._last_result()
        if reflecting and not isinstance(result.content, str):
            raise ModelError("the model called tools when it was asked to put their results into words")
        if result.thought:
            yield self._show(ThoughtEvent(content=result.thought, source=self._options.name))
        await self._options.model_context.add_message(
            AssistantMessage(content=result.content, source=self._options.name, thought=result.thought)
        )

    async def _use_tools(self, calls: list[FunctionCall], result: CreateResult) -> AsyncGenerator[Item, None]:
        name = self._options.name
        yield self._log(ToolCallRequestEvent(content=calls, source=name, models_usage=result.usage))
        results: list[FunctionExecutionResult] = []
        async with aclosing(execute_tool_calls(calls, self._options, self._token)) as items:
            async for item in items:
                if isinstance(item, list):
                    results = item
                else:
                    yield self._show(item)
        yield self._log(ToolCallExecutionEvent(content=results, source=name))
        await self._options.model_context.add_message(FunctionExecutionResultMessage(content=results))
        self._executed = list(zip(calls, results, strict=True))

    async def _call_arguments(self, *, reflecting: bool) -> dict[str, Any]:
        options = self._options
        messages = [*options.system_messages, *await options.model_context.get_messages()]
        if not options.model_client.model_info["vision"]:
            messages = remove_images(messages)
        call: dict[str, Any] = {
            "messages": messages,
            "json_output": options.output_content_type,
            "cancellation_token": self._token,
        }
        if reflecting:
            choice: Literal["none"] = "none"
            return {**call, "tool_choice": choice}
        return {**call, "tools": await self._tools()}

    async def _tools(self) -> list[Tool | ToolSchema]:
        schemas: list[Tool | ToolSchema] = []
        for workbench in self._options.workbenches:
            schemas += await workbench.list_tools()
        return [*schemas, *self._options.handoff_tools]

    def _final_message(self, result: CreateResult, message_id: str) -> BaseChatMessage:
        options = self._options
        content = cast("str", result.content)
        if options.output_content_type is None or options.output_message_type is None:
            return TextMessage(content=content, source=options.name, models_usage=result.usage, id=message_id)
        return options.output_message_type(
            content=options.output_content_type.model_validate_json(content),
            source=options.name,
            models_usage=result.usage,
            format_string=options.output_format,
            id=message_id,
        )

    def _chunk(self, text: str, message_id: str) -> ModelClientStreamingChunkEvent:
        return ModelClientStreamingChunkEvent(content=text, source=self._options.name, full_message_id=message_id)

    def _last_result(self) -> CreateResult:
        if self._result is None:
            raise ModelError("the model client ended its stream without a CreateResult")
        return self._result

    def _log(self, event: BaseAgentEvent) -> BaseAgentEvent | BaseChatMessage:
        _event_log.debug(event)
        return self._show(event)

    def _show(self, item: BaseAgentEvent | BaseChatMessage) -> BaseAgentEvent | BaseChatMessage:
        self._inner.append(item)
        return item

    def _respond(self, message: BaseChatMessage) -> Response:
        return Response(chat_message=message, inner_messages=self._inner)
