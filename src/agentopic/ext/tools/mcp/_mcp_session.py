"""Opening a session with an MCP server over the transport its parameters name."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from mcp import ClientSession, stdio_client
from mcp.client.session import ElicitationFnT, ListRootsFnT, SamplingFnT
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from agentopic.ext._wire_secrets import conceal_headers, conceal_url
from agentopic.ext.tools.mcp._server_params import (
    AnyServerParams,
    SseServerParams,
    StdioServerParams,
    StreamableHttpServerParams,
    answer_seconds,
)


@asynccontextmanager
async def create_mcp_server_session(
    server_params: AnyServerParams,
    sampling_callback: SamplingFnT | None = None,
    *,
    elicitation_callback: ElicitationFnT | None = None,
    list_roots_callback: ListRootsFnT | None = None,
) -> AsyncGenerator[ClientSession]:
    """A session of the official SDK; call `initialize` on it first. It must be left by the task that entered it.

    The callbacks answer what a server asks its client: a model's text, a person's input, the roots it may use.
    """
    async with (
        _streams(server_params) as (read, write),
        ClientSession(
            read,
            write,
            read_timeout_seconds=answer_seconds(server_params),
            sampling_callback=sampling_callback,
            elicitation_callback=elicitation_callback,
            list_roots_callback=list_roots_callback,
        ) as session,
    ):
        yield session


@asynccontextmanager
async def _streams(params: AnyServerParams) -> AsyncGenerator[tuple[Any, Any]]:
    if not isinstance(params, StdioServerParams):
        conceal_headers(params.headers)
        conceal_url(params.url)
    match params:
        case StdioServerParams():
            async with stdio_client(params) as streams:
                yield streams
        case SseServerParams():
            async with sse_client(
                params.url, headers=params.headers, timeout=params.timeout, sse_read_timeout=params.sse_read_timeout
            ) as streams:
                yield streams
        case StreamableHttpServerParams():
            limits = httpx2.Timeout(params.timeout, read=params.sse_read_timeout)
            async with (
                create_mcp_http_client(headers=_texts(params.headers), timeout=limits) as client,
                streamable_http_client(
                    params.url, http_client=client, terminate_on_close=params.terminate_on_close
                ) as streams,
            ):
                yield streams


def _texts(headers: dict[str, Any] | None) -> dict[str, str] | None:
    return None if headers is None else {name: str(value) for name, value in headers.items()}
