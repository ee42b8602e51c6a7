"""Tools of MCP servers over HTTP."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from agentopic.core import CancellationToken
from agentopic.errors import McpConnectionError, McpError
from agentopic.ext.tools.mcp import (
    McpWorkbench,
    SseMcpToolAdapter,
    SseServerParams,
    StreamableHttpMcpToolAdapter,
    StreamableHttpServerParams,
    mcp_server_tools,
)

PROGRAM = str(Path(__file__).parent / "http_server.py")


@pytest.fixture(params=["streamable", "sse"])
async def params(request) -> AsyncGenerator[SseServerParams | StreamableHttpServerParams]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, PROGRAM, request.param, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    port = int(await process.stdout.readline())
    if request.param == "sse":
        yield SseServerParams(url=f"http://127.0.0.1:{port}/sse")
    else:
        yield StreamableHttpServerParams(url=f"http://127.0.0.1:{port}/mcp")
    if process.returncode is None:
        process.kill()
    await process.wait()


async def test_tools_are_listed_and_called(params) -> None:
    async with McpWorkbench(params) as workbench:
        names = [tool["name"] for tool in await workbench.list_tools()]
        added, failed = await workbench.call_tool("add", {"a": 1}), await workbench.call_tool("fail")

    assert names == ["add", "fail"]
    assert (added.to_text(), added.is_error) == ("3", False)
    assert failed.is_error
    assert "Error executing tool fail" in failed.to_text()


async def test_single_tools_are_of_their_transport(params) -> None:
    add, fail = await mcp_server_tools(params)

    result = await add.run_json({"a": 1, "b": 4}, CancellationToken())

    kind = SseMcpToolAdapter if isinstance(params, SseServerParams) else StreamableHttpMcpToolAdapter
    assert isinstance(add, kind)
    assert result[0].text == "5"
    with pytest.raises(McpError, match="Error executing tool fail"):
        await fail.run_json({}, CancellationToken())


@pytest.mark.parametrize("kind", [SseServerParams, StreamableHttpServerParams])
async def test_no_server_is_an_error(kind, unused_tcp_port) -> None:
    workbench = McpWorkbench(kind(url=f"http://127.0.0.1:{unused_tcp_port}/mcp", timeout=2))

    with pytest.raises(McpConnectionError):
        await workbench.start()


@pytest.mark.parametrize("kind", [SseServerParams, StreamableHttpServerParams])
@pytest.mark.parametrize("said", [b"<html>hello</html>", b"", b"{}"])
async def test_a_web_server_that_is_no_mcp_server_is_an_error(kind, said, server, answer) -> None:
    server.answers["/mcp"] = answer(said, "Content-Type: text/html")

    with pytest.raises(McpConnectionError):
        await McpWorkbench(kind(url=f"{server.url}/mcp", timeout=1)).start()


@pytest.mark.parametrize("kind", [SseServerParams, StreamableHttpServerParams])
async def test_a_silent_web_server_is_an_error(kind, server) -> None:
    async def silent(_writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    server.answers["/mcp"] = silent

    with pytest.raises(McpConnectionError):
        await McpWorkbench(kind(url=f"{server.url}/mcp", timeout=0.5)).start()
