"""Single tools of an MCP server as tools of an agent, one class per transport."""

from __future__ import annotations

import json
from typing import Any, Generic, Self, TypeVar, cast

from mcp import ClientSession
from mcp_types import ContentBlock, TextContent, Tool
from pydantic import BaseModel, ConfigDict, create_model

from agentopic.core import CancellationToken, Component
from agentopic.core._turn import OnUnknown
from agentopic.core.tools import BaseTool, ToolEffect
from agentopic.core.utils import schema_to_pydantic_model
from agentopic.errors import ComponentError, McpError, McpToolNotFoundError
from agentopic.ext.tools.mcp._command_policy import require_allowed
from agentopic.ext.tools.mcp._mcp_connection import McpConnection
from agentopic.ext.tools.mcp._mcp_session import create_mcp_server_session
from agentopic.ext.tools.mcp._server_params import (
    AnyServerParams,
    SseServerParams,
    StdioServerParams,
    StreamableHttpServerParams,
    answer_seconds,
    server_label,
    start_seconds,
)
from agentopic.ext.tools.mcp._tool_call import as_json, call_mcp_tool
from agentopic.ext.tools.mcp._tool_listing import listed_tools

ParamsT = TypeVar("ParamsT", StdioServerParams, SseServerParams, StreamableHttpServerParams)


class McpToolAdapter(BaseTool[BaseModel, Any], Generic[ParamsT]):
    """One tool of an MCP server.

    Without a session each call opens one of its own and closes it: for more than a few calls give a session, or use
    McpWorkbench. The result is the list of the answer's parts (`mcp_types.ContentBlock`). Inside a durable turn the
    call's `_meta` carries its idempotency key.

    Raises (from `run_json`; a workbench tells the model the text):
        McpConnectionError: the server cannot be reached, or has gone.
        McpError: the tool reports an error, or the server refuses the call.
        McpTimeoutError: no answer in time.
    """

    component_type = "tool"

    def __init__(
        self,
        server_params: ParamsT,
        tool: Tool,
        session: ClientSession | None = None,
        *,
        effect: ToolEffect = "unrepeatable",
        on_unknown: OnUnknown | None = None,
    ) -> None:
        self._tool = tool
        self._server_params: ParamsT = server_params
        self._session = session
        self.effect = effect
        self.on_unknown = on_unknown
        super().__init__(
            _arguments_class(tool), cast("type[Any]", list[ContentBlock]), tool.name, tool.description or ""
        )

    @classmethod
    async def from_server_params(cls, server_params: ParamsT, tool_name: str) -> Self:
        """The tool of this name, as its server describes it now.

        Raises:
            McpToolNotFoundError: the server has no such tool; a ValueError, as in AutoGen.
            McpConnectionError: the server cannot be reached.
            McpError: it does not list its tools.
            McpTimeoutError: no answer in time.
        """
        async with connection_to(server_params) as connection:
            offered = {tool.name: tool for tool in await listed_tools(connection)}
        if tool_name not in offered:
            raise McpToolNotFoundError(
                f"MCP server {server_label(server_params)!r} offers no tool {tool_name!r}, but {', '.join(offered)}"
            )
        return cls(server_params, offered[tool_name])

    async def run(self, args: BaseModel, cancellation_token: CancellationToken) -> Any:
        """Call the tool with the arguments that were given; defaults are the server's."""
        arguments = args.model_dump(mode="json", exclude_unset=True)
        async with connection_to(self._server_params, self._session) as connection:
            result = await call_mcp_tool(connection, self._tool.name, arguments, cancellation_token)
        if result.is_error:
            texts = [part.text for part in result.content if isinstance(part, TextContent)]
            raise McpError("\n".join(texts) or f"tool {self._tool.name!r} failed without a word")
        return result.content

    def return_value_as_string(self, value: Any) -> str:
        """The parts as a JSON array."""
        if not isinstance(value, list):
            return str(value)
        return json.dumps([as_json(part) for part in cast("list[ContentBlock]", value)])

    def _tool_config(self) -> dict[str, Any]:
        return {"server_params": self._server_params, "tool": self._tool.model_dump(by_alias=True, exclude_none=True)}


def connection_to(params: AnyServerParams, session: ClientSession | None = None) -> McpConnection:
    """A connection to a server, over a session that is open or one of its own."""
    if session is not None:
        return McpConnection.over(session, server=server_label(params), answer_seconds=answer_seconds(params))
    return McpConnection(
        lambda: create_mcp_server_session(params),
        server=server_label(params),
        start_seconds=start_seconds(params),
        answer_seconds=answer_seconds(params),
    )


class StdioMcpToolAdapterConfig(BaseModel):
    """Config of StdioMcpToolAdapter."""

    server_params: StdioServerParams
    tool: dict[str, Any]
    """As MCP writes it."""


class StdioMcpToolAdapter(McpToolAdapter[StdioServerParams], Component[StdioMcpToolAdapterConfig]):
    """A tool of a server that is started as a process of this machine."""

    component_config_schema = StdioMcpToolAdapterConfig
    component_provider_override = "autogen_ext.tools.mcp.StdioMcpToolAdapter"

    def _to_config(self) -> StdioMcpToolAdapterConfig:
        return StdioMcpToolAdapterConfig(**self._tool_config())

    @classmethod
    def _from_config(cls, config: StdioMcpToolAdapterConfig) -> Self:
        require_allowed(config.server_params)
        return cls(server_params=config.server_params, tool=Tool.model_validate(config.tool))


class SseMcpToolAdapterConfig(BaseModel):
    """Config of SseMcpToolAdapter."""

    server_params: SseServerParams
    tool: dict[str, Any]
    """As MCP writes it."""


class SseMcpToolAdapter(McpToolAdapter[SseServerParams], Component[SseMcpToolAdapterConfig]):
    """A tool of a server behind HTTP with server-sent events."""

    component_config_schema = SseMcpToolAdapterConfig
    component_provider_override = "autogen_ext.tools.mcp.SseMcpToolAdapter"

    def _to_config(self) -> SseMcpToolAdapterConfig:
        return SseMcpToolAdapterConfig(**self._tool_config())

    @classmethod
    def _from_config(cls, config: SseMcpToolAdapterConfig) -> Self:
        return cls(server_params=config.server_params, tool=Tool.model_validate(config.tool))


class StreamableHttpMcpToolAdapterConfig(BaseModel):
    """Config of StreamableHttpMcpToolAdapter."""

    server_params: StreamableHttpServerParams
    tool: dict[str, Any]
    """As MCP writes it."""


class StreamableHttpMcpToolAdapter(
    McpToolAdapter[StreamableHttpServerParams], Component[StreamableHttpMcpToolAdapterConfig]
):
    """A tool of a server behind streamable HTTP."""

    component_config_schema = StreamableHttpMcpToolAdapterConfig
    component_provider_override = "autogen_ext.tools.mcp.StreamableHttpMcpToolAdapter"

    def _to_config(self) -> StreamableHttpMcpToolAdapterConfig:
        return StreamableHttpMcpToolAdapterConfig(**self._tool_config())

    @classmethod
    def _from_config(cls, config: StreamableHttpMcpToolAdapterConfig) -> Self:
        return cls(server_params=config.server_params, tool=Tool.model_validate(config.tool))


def _arguments_class(tool: Tool) -> type[BaseModel]:
    """A class for the tool's arguments; a schema that has no class of ours leaves the checking to the server."""
    schema: dict[str, Any] = {"properties": {}, **tool.input_schema}
    try:
        return schema_to_pydantic_model(schema, "GeneratedModel")
    except ComponentError:
        return create_model("GeneratedModel", __config__=ConfigDict(extra="allow"))
