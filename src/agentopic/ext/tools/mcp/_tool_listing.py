"""What an MCP server says it offers, page by page."""

from __future__ import annotations

from mcp_types import PaginatedRequestParams, Tool

from agentopic.core import CancellationToken
from agentopic.errors import McpError
from agentopic.ext.tools.mcp._mcp_connection import McpConnection

_MAX_PAGES = 100


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
