"""Tools of MCP servers, over stdio, streamable HTTP and SSE, as in `autogen_ext.tools.mcp`."""

from importlib.util import find_spec

from agentopic.errors import MissingExtraError

if find_spec("mcp") is None:
    raise MissingExtraError("agentopic.ext.tools.mcp", "mcp")

from agentopic.ext.tools.mcp._mcp_session import create_mcp_server_session
from agentopic.ext.tools.mcp._server_params import (
    McpServerParams,
    SseServerParams,
    StdioServerParams,
    StreamableHttpServerParams,
)
from agentopic.ext.tools.mcp._server_tools import mcp_server_tools
from agentopic.ext.tools.mcp._session_actor import McpSessionActor
from agentopic.ext.tools.mcp._tool_adapter import (
    McpToolAdapter,
    SseMcpToolAdapter,
    StdioMcpToolAdapter,
    StreamableHttpMcpToolAdapter,
)
from agentopic.ext.tools.mcp._tool_call import IDEMPOTENCY_META_KEY
from agentopic.ext.tools.mcp._workbench import McpWorkbench

__all__ = [
    "IDEMPOTENCY_META_KEY",
    "McpServerParams",
    "McpSessionActor",
    "McpToolAdapter",
    "McpWorkbench",
    "SseMcpToolAdapter",
    "SseServerParams",
    "StdioMcpToolAdapter",
    "StdioServerParams",
    "StreamableHttpMcpToolAdapter",
    "StreamableHttpServerParams",
    "create_mcp_server_session",
    "mcp_server_tools",
]
