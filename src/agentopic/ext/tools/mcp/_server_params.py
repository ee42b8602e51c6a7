"""How an MCP server is reached."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from mcp import StdioServerParameters
from pydantic import BaseModel, Field


class StdioServerParams(StdioServerParameters):
    """A server that is started as a process of this machine and spoken to over its standard input and output."""

    type: Literal["StdioServerParams"] = "StdioServerParams"
    read_timeout_seconds: float = 5
    """For the start, and for each answer."""


class SseServerParams(BaseModel):
    """A server behind HTTP that answers on a stream of server-sent events (the older HTTP transport)."""

    type: Literal["SseServerParams"] = "SseServerParams"
    url: str
    headers: dict[str, Any] | None = Field(default=None, repr=False)
    timeout: float = 5
    """Seconds for the start and for each HTTP operation."""
    sse_read_timeout: float = 60 * 5
    """Seconds for each answer."""


class StreamableHttpServerParams(BaseModel):
    """A server behind streamable HTTP."""

    type: Literal["StreamableHttpServerParams"] = "StreamableHttpServerParams"
    url: str
    headers: dict[str, Any] | None = Field(default=None, repr=False)
    timeout: float = 30.0
    """Seconds for the start and for each HTTP operation."""
    sse_read_timeout: float = 300.0
    """Seconds for each answer."""
    terminate_on_close: bool = True


McpServerParams = Annotated[
    StdioServerParams | SseServerParams | StreamableHttpServerParams, Field(discriminator="type")
]

AnyServerParams: TypeAlias = StdioServerParams | SseServerParams | StreamableHttpServerParams


def start_seconds(params: AnyServerParams) -> float:
    """How long a server may take to start and to agree on a protocol."""
    return params.read_timeout_seconds if isinstance(params, StdioServerParams) else params.timeout


def answer_seconds(params: AnyServerParams) -> float:
    """How long a server may take for an answer."""
    return params.read_timeout_seconds if isinstance(params, StdioServerParams) else params.sse_read_timeout


def server_label(params: AnyServerParams) -> str:
    """A server's name in errors: no arguments, headers or queries, which may hold secrets."""
    return params.command if isinstance(params, StdioServerParams) else params.url.partition("?")[0]
