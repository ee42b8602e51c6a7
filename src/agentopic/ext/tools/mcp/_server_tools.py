"""All tools of an MCP server at once."""

from __future__ import annotations

from mcp import ClientSession
from mcp_types import Tool

from agentopic.ext.tools.mcp._server_params import (
    AnyServerParams,
    SseServerParams,
    StdioServerParams,
    StreamableHttpServerParams,
)
from agentopic.ext.tools.mcp._tool_adapter import (
    SseMcpToolAdapter,
    StdioMcpToolAdapter,
    StreamableHttpMcpToolAdapter,
    connection_to,
)
from agentopic.ext.tools.mcp._tool_listing import listed_tools


async def mcp_server_tools(
    server_params: AnyServerParams, session: ClientSession | None = None
) -> list[StdioMcpToolAdapter | SseMcpToolAdapter | StreamableHttpMcpToolAdapter]:
    """The tools a server offers now; calls of them use the given session, else one of their own each.

    Raises:
        McpConnectionError: the server cannot be reached.
        McpError: it does not list its tools.
        McpTimeoutError: no answer in time.
    """
    async with connection_to(server_params, session) as connection:
        tools = await listed_tools(connection)
    return [_adapter(server_params, tool, session) for tool in tools]


def _adapter(
    params: AnyServerParams, tool: Tool, session: ClientSession | None
) -> StdioMcpToolAdapter | SseMcpToolAdapter | StreamableHttpMcpToolAdapter:
    match params:
        case StdioServerParams():
            return StdioMcpToolAdapter(params, tool, session)
        case SseServerParams():
            return SseMcpToolAdapter(params, tool, session)
        case StreamableHttpServerParams():
            return StreamableHttpMcpToolAdapter(params, tool, session)
