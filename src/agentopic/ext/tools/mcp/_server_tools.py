"""All tools of an MCP server at once."""

from __future__ import annotations

from mcp import ClientSession
from mcp_types import PaginatedRequestParams, Tool

from agentopic.core import CancellationToken
from agentopic.errors import McpError
from agentopic.ext.tools.mcp._mcp_connection import McpConnection
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

_MAX_PAGES = 100


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


async def listed_tools(connection: McpConnection, cancellation_token: CancellationToken | None = None) -> list[Tool]:
    """Every page of a server's tools.

    Raises:
        McpError: as McpConnection.call; or the pages do not end.
    """
    tools, cursor = list[Tool](), None
    for _ in range(_MAX_PAGES):
        params = None if cursor is None else PaginatedRequestParams(cursor=cursor)
        page = await connection.call(
            lambda session, params=params: session.list_tools(params=params), cancellation_token
        )
        tools += page.tools
        cursor = page.next_cursor
        if cursor is None:
            return tools
    raise McpError(f"the list of tools has more than {_MAX_PAGES} pages")


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
