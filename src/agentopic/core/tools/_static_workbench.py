"""`StaticWorkbench` and `StaticStreamWorkbench`: a fixed list of tools."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Literal, Self

from pydantic import BaseModel, Field

from agentopic.core._cancellation_token import CancellationToken
from agentopic.core._component_config import Component, ComponentModel
from agentopic.core.tools._base_tool import BaseTool
from agentopic.core.tools._call_limit import result_text
from agentopic.core.tools._tool import StreamTool
from agentopic.core.tools._tool_failure import ToolFailure, await_tool, telling, told_failures
from agentopic.core.tools._tool_schema import ToolOverride, ToolSchema
from agentopic.core.tools._workbench import StreamWorkbench, TextResultContent, ToolResult, Workbench


class StaticWorkbenchConfig(BaseModel):
    """Config of StaticWorkbench and StaticStreamWorkbench."""

    tools: list[ComponentModel] = []
    tool_overrides: dict[str, ToolOverride] = Field(default_factory=dict)


class StaticWorkbenchState(BaseModel):
    """The states of the tools by their names."""

    type: Literal["StaticWorkbenchState"] = "StaticWorkbenchState"
    tools: dict[str, Mapping[str, Any]] = {}


class StaticWorkbench(Workbench, Component[StaticWorkbenchConfig]):
    """A fixed list of tools, some under another name or description."""

    component_provider_override = "autogen_core.tools.StaticWorkbench"
    component_config_schema = StaticWorkbenchConfig
    step_scope = True

    def __init__(self, tools: list[BaseTool[Any, Any]], tool_overrides: dict[str, ToolOverride] | None = None) -> None:
        self._tools = tools
        self._tool_overrides = tool_overrides or {}
        self._original_names = _original_names(tools, self._tool_overrides)

    async def list_tools(self) -> list[ToolSchema]:
        """The tools' schemas, with the overrides applied."""
        return [_overridden(tool.schema, self._tool_overrides.get(tool.name)) for tool in self._tools]

    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        """Call a tool by its own or its overriding name."""
        tool = self._find(name)
        if tool is None:
            return _failed(name, f"Tool {name} not found.")
        token = cancellation_token or CancellationToken()
        try:
            value = await await_tool(tool.run_json(arguments or {}, token, call_id=call_id), token)
        except ToolFailure as failure:
            return _failed(name, failure.text)
        return _ended(name, tool, value)

    async def start(self) -> None:
        """Nothing to acquire."""

    async def stop(self) -> None:
        """Nothing to give back."""

    async def reset(self) -> None:
        """Nothing to reset: the list does not change."""

    async def save_state(self) -> Mapping[str, Any]:
        """The states of all tools."""
        states = {tool.name: await tool.save_state_json() for tool in self._tools}
        return StaticWorkbenchState(tools=states).model_dump()

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Give each tool its saved state; states of unknown tools are left out."""
        saved = StaticWorkbenchState.model_validate(state).tools
        for tool in self._tools:
            if tool.name in saved:
                await tool.load_state_json(saved[tool.name])

    def _find(self, name: str) -> BaseTool[Any, Any] | None:
        original = self._original_names.get(name, name)
        return next((tool for tool in self._tools if tool.name == original), None)

    def _to_config(self) -> StaticWorkbenchConfig:
        return StaticWorkbenchConfig(
            tools=[tool.dump_component() for tool in self._tools], tool_overrides=self._tool_overrides
        )

    @classmethod
    def _from_config(cls, config: StaticWorkbenchConfig) -> Self:
        tools: list[BaseTool[Any, Any]] = [BaseTool.load_component(tool) for tool in config.tools]
        return cls(tools=tools, tool_overrides=config.tool_overrides)


class StaticStreamWorkbench(StaticWorkbench, StreamWorkbench):
    """A fixed list of tools, of which some may show progress."""

    component_provider_override = "autogen_core.tools.StaticStreamWorkbench"

    async def call_tool_stream(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> AsyncGenerator[Any | ToolResult, None]:
        """Call a tool; what a StreamTool yields on the way comes before the ToolResult."""
        tool = self._find(name)
        if not isinstance(tool, StreamTool):
            yield await self.call_tool(name, arguments, cancellation_token, call_id)
            return
        token = cancellation_token or CancellationToken()
        last: list[Any] = []
        try:
            with telling():
                stream = tool.run_json_stream(arguments or {}, token, call_id=call_id)
            with told_failures():
                async with aclosing(stream) as items:
                    async for item in items:
                        if last:
                            yield last.pop()
                        last.append(item)
        except ToolFailure as failure:
            for item in last:
                yield item
            yield _failed(name, failure.text)
            return
        if last:
            yield _ended(name, tool, last[0])
        else:
            yield _failed(name, f"Tool {name} ended without a result.")


def _original_names(tools: list[BaseTool[Any, Any]], overrides: Mapping[str, ToolOverride]) -> dict[str, str]:
    names = {tool.name for tool in tools}
    original_names: dict[str, str] = {}
    for original, override in overrides.items():
        if override.name is None or override.name == original:
            continue
        if override.name in names:
            raise ValueError(f"tool override name {override.name!r} is already the name of a tool")
        if override.name in original_names:
            raise ValueError(f"two tools are overridden with the name {override.name!r}")
        original_names[override.name] = original
    return original_names


def _overridden(schema: ToolSchema, override: ToolOverride | None) -> ToolSchema:
    if override is not None:
        schema["name"] = override.name or schema["name"]
        if override.description is not None:
            schema["description"] = override.description
    return schema


def _ended(name: str, tool: Any, value: Any) -> ToolResult:
    try:
        with told_failures():
            text = result_text(tool, value)
    except ToolFailure as failure:
        return _failed(name, failure.text)
    return ToolResult(name=name, result=[TextResultContent(content=text)])


def _failed(name: str, text: str) -> ToolResult:
    return ToolResult(name=name, result=[TextResultContent(content=text)], is_error=True)
