"""`McpWorkbench`: the tools, prompts and resources of one MCP server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Literal, Self, cast

from mcp.client.session import ElicitationFnT, ListRootsFnT, SamplingFnT
from mcp_types import (
    GetPromptResult,
    InitializeResult,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ReadResourceResult,
    Tool,
)
from pydantic import BaseModel, Field

from agentopic.core import CancellationToken, Component, ComponentModel
from agentopic.core._turn import OnUnknown, StepSpec, current_turn
from agentopic.core.models import ChatCompletionClient
from agentopic.core.tools import (
    ParametersSchema,
    TextResultContent,
    ToolEffect,
    ToolOverride,
    ToolResult,
    ToolSchema,
    Workbench,
)
from agentopic.errors import McpError
from agentopic.ext.tools.mcp._command_policy import require_allowed
from agentopic.ext.tools.mcp._mcp_connection import McpConnection
from agentopic.ext.tools.mcp._mcp_session import create_mcp_server_session
from agentopic.ext.tools.mcp._sampling import sampling_by
from agentopic.ext.tools.mcp._server_params import (
    AnyServerParams,
    McpServerParams,
    answer_seconds,
    server_label,
    start_seconds,
)
from agentopic.ext.tools.mcp._tool_call import call_mcp_tool, result_parts
from agentopic.ext.tools.mcp._tool_listing import listed_tools


class McpWorkbenchConfig(BaseModel):
    """Config of McpWorkbench."""

    server_params: McpServerParams
    tool_overrides: dict[str, ToolOverride] = Field(default_factory=dict[str, ToolOverride])
    model_client: ComponentModel | dict[str, Any] | None = None
    effect: ToolEffect | None = None
    """Our addition; absent when calls are unrepeatable."""
    on_unknown: OnUnknown | None = None
    """Our addition; absent when the service decides."""


class McpWorkbenchState(BaseModel):
    """A workbench keeps no state: the server does, if anybody."""

    type: Literal["McpWorkBenchState"] = "McpWorkBenchState"


class McpWorkbench(Workbench, Component[McpWorkbenchConfig]):
    """Lists and calls the tools of an MCP server, some under another name or description.

    It starts the server (stdio) or connects to it at the first use, and again after the server has gone. A tool's
    failure, a dead server and a time-out are a ToolResult with `is_error`; the other methods raise. Inside a durable
    turn calls and listings are steps, and a call's `_meta` carries its idempotency key: `effect` says what a repeated
    call does. `model_client` answers the server's sampling requests.

    Raises (from all but `call_tool`):
        McpConnectionError: the server cannot be started or reached, or has gone.
        McpError: the server refuses.
        McpTimeoutError: no answer in time.
    """

    component_config_schema = McpWorkbenchConfig
    component_provider_override = "autogen_ext.tools.mcp.McpWorkbench"

    def __init__(
        self,
        server_params: AnyServerParams,
        tool_overrides: dict[str, ToolOverride] | None = None,
        model_client: ChatCompletionClient | None = None,
        *,
        effect: ToolEffect = "unrepeatable",
        on_unknown: OnUnknown | None = None,
        elicitation_callback: ElicitationFnT | None = None,
        list_roots_callback: ListRootsFnT | None = None,
    ) -> None:
        self._server_params = server_params
        self._tool_overrides = tool_overrides or {}
        self._original_names = _original_names(self._tool_overrides)
        self._model_client = model_client
        self._elicitation_callback = elicitation_callback
        self._list_roots_callback = list_roots_callback
        self.effect = effect
        self.on_unknown = on_unknown
        self._connection: McpConnection | None = None
        self._starting = asyncio.Lock()

    @property
    def server_params(self) -> AnyServerParams:
        """How the server is reached."""
        return self._server_params

    @property
    def initialize_result(self) -> InitializeResult | None:
        """What the server said about itself; None before the first use."""
        return None if self._connection is None else self._connection.initialize_result

    async def list_tools(self) -> list[ToolSchema]:
        """The tools as the server lists them now, with the overrides applied."""
        turn = current_turn.get()
        if turn is None:
            return await self._listed()
        spec: StepSpec[list[ToolSchema]] = StepSpec(
            kind="tool",
            name=f"{type(self).__name__}.list_tools",
            input=server_label(self._server_params).encode(),
            encode=lambda tools: json.dumps(tools).encode(),
            decode=json.loads,
            repeatable=True,
        )
        return await turn.step(spec, lambda _idempotency_key: self._listed())

    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        """Call a tool by its own or its overriding name; whatever goes wrong is told in the result."""
        try:
            connection = await self._connected()
            original = self._original_names.get(name, name)
            result = await call_mcp_tool(connection, original, arguments or {}, cancellation_token)
        except McpError as exc:
            return ToolResult(name=name, result=[TextResultContent(content=str(exc))], is_error=True)
        return ToolResult(name=name, result=result_parts(result.content), is_error=bool(result.is_error))

    async def list_prompts(self) -> ListPromptsResult:
        """The server's prompts (its first page)."""
        return await (await self._connected()).call(lambda session: session.list_prompts())

    async def list_resources(self) -> ListResourcesResult:
        """The server's resources (its first page)."""
        return await (await self._connected()).call(lambda session: session.list_resources())

    async def list_resource_templates(self) -> ListResourceTemplatesResult:
        """The server's resource templates (its first page)."""
        return await (await self._connected()).call(lambda session: session.list_resource_templates())

    async def read_resource(self, uri: str) -> ReadResourceResult:
        """The contents of a resource."""
        return await (await self._connected()).call(lambda session: session.read_resource(str(uri)))

    async def get_prompt(self, name: str, arguments: dict[str, str] | None = None) -> GetPromptResult:
        """A prompt, filled in."""
        return await (await self._connected()).call(lambda session: session.get_prompt(name, arguments))

    async def start(self) -> None:
        """Start the server or connect to it; nothing happens when that is done."""
        await self._connected()

    async def stop(self) -> None:
        """End the session, and the server's process if it is ours; idempotent."""
        async with self._starting:
            connection, self._connection = self._connection, None
            if connection is not None:
                await connection.aclose()

    async def reset(self) -> None:
        """Begin with a new session."""
        await self.stop()
        await self.start()

    async def save_state(self) -> Mapping[str, Any]:
        """No state."""
        return McpWorkbenchState().model_dump()

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Take note of a saved state, which is empty."""
        McpWorkbenchState.model_validate(state)

    async def _connected(self) -> McpConnection:
        async with self._starting:
            if self._connection is not None and self._connection.is_open:
                return self._connection
            if self._connection is not None:
                await self._connection.aclose()
            connection = self._new_connection()
            await connection.start()
            self._connection = connection
            return connection

    def _new_connection(self) -> McpConnection:
        params = self._server_params
        sampling: SamplingFnT | None = None if self._model_client is None else sampling_by(self._model_client)
        return McpConnection(
            lambda: create_mcp_server_session(
                params,
                sampling,
                elicitation_callback=self._elicitation_callback,
                list_roots_callback=self._list_roots_callback,
            ),
            server=server_label(params),
            start_seconds=start_seconds(params),
            answer_seconds=answer_seconds(params),
        )

    async def _listed(self) -> list[ToolSchema]:
        tools = await listed_tools(await self._connected())
        return [_schema(tool, self._tool_overrides.get(tool.name, ToolOverride())) for tool in tools]

    def _to_config(self) -> McpWorkbenchConfig:
        return McpWorkbenchConfig(
            server_params=self._server_params,
            tool_overrides=self._tool_overrides,
            model_client=None if self._model_client is None else self._model_client.dump_component(),
            effect=None if self.effect == "unrepeatable" else self.effect,
            on_unknown=self.on_unknown,
        )

    @classmethod
    def _from_config(cls, config: McpWorkbenchConfig) -> Self:
        require_allowed(config.server_params)
        client = config.model_client
        return cls(
            server_params=config.server_params,
            tool_overrides=config.tool_overrides,
            model_client=None if client is None else ChatCompletionClient.load_component(client),
            effect=config.effect or "unrepeatable",
            on_unknown=config.on_unknown,
        )


def _schema(tool: Tool, override: ToolOverride) -> ToolSchema:
    given = tool.input_schema
    parameters = {
        **{name: value for name, value in given.items() if name == "$defs"},
        "type": "object",
        "properties": given.get("properties", {}),
        "required": given.get("required", []),
        "additionalProperties": given.get("additionalProperties", False),
    }
    description = tool.description or "" if override.description is None else override.description
    return ToolSchema(
        name=override.name or tool.name, description=description, parameters=cast("ParametersSchema", parameters)
    )


def _original_names(overrides: Mapping[str, ToolOverride]) -> dict[str, str]:
    names: dict[str, str] = {}
    for original, override in overrides.items():
        if override.name and override.name != original:
            if override.name in names:
                raise ValueError(f"two tools are overridden with the name {override.name!r}")
            names[override.name] = original
    return names
