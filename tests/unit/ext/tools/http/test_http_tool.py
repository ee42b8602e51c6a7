"""A tool of one HTTP endpoint sends what AutoGen's sends, and survives what servers and models do."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from agentopic.core import CancellationToken, ComponentLoader, ComponentPolicy, use_component_policy
from agentopic.core.tools import StaticWorkbench
from agentopic.core.tools._idempotency import use_idempotency_key
from agentopic.errors import AddressRefusedError, ToolAnswerError, ToolError, ToolServerTimeoutError
from agentopic.ext.tools.http import HttpTool

SCHEMA = {
    "type": "object",
    "properties": {"id": {"type": "string"}, "q": {"type": "integer"}, "opt": {"type": "string"}},
    "required": ["id"],
}


def tool(server, **options) -> HttpTool:
    given: dict[str, Any] = {"name": "ask", "host": "127.0.0.1", "port": server.port, "json_schema": SCHEMA, **options}
    return HttpTool(**given)


async def called(tool: HttpTool, **arguments):
    return await tool.run_json(arguments, CancellationToken())


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_arguments_are_the_query(server, answer, method) -> None:
    server.answers["/"] = answer(b"ok")

    result = await called(tool(server, method=method, headers={"X-A": 1}), id="x y", q=3)

    assert result == "ok"
    assert server.requests[0].startswith(f"{method} /?id=x+y&q=3&opt= HTTP/1.1\r\n".encode())
    assert b"X-A: 1\r\n" in server.requests[0]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_arguments_are_the_json_body(server, answer, method) -> None:
    server.answers["/"] = answer(b'{"n": 1}')

    result = await called(tool(server, method=method, return_type="json"), id="ä")

    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert result == {"n": 1}
    assert json.loads(body) == {"id": "ä", "q": None, "opt": None}
    assert b"Content-Type: application/json" in head


async def test_arguments_fill_the_path_and_cannot_leave_it(server, answer) -> None:
    server.answers["/u/a%2F..%3Fx/e"] = answer(b"ok")
    filled = tool(server, path="/u/{id}/e", method="GET")

    result = await called(filled, id="a/..?x")

    assert result == "ok"
    for outside in ("..", ".", ""):
        with pytest.raises(ToolError, match="part of the path"):
            await called(filled, id=outside)


def test_a_path_with_unknown_arguments_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="missing"):
        HttpTool(name="ask", host="h", port=1, json_schema=SCHEMA, path="/{missing}")


async def test_an_error_status_is_an_answer(server, answer) -> None:
    server.answers["/"] = answer(b"no such order", status="404 Not Found")

    assert await called(tool(server), id="1") == "no such order"


async def test_the_idempotency_key_of_a_step_is_a_header(server, answer) -> None:
    server.answers["/"] = answer(b"ok")

    with use_idempotency_key("key-7"):
        await called(tool(server), id="1")
    await called(tool(server), id="1")

    assert b"Idempotency-Key: key-7\r\n" in server.requests[0]
    assert b"idempotency" not in server.requests[1].lower()


@pytest.mark.parametrize(
    ("method", "effect"), [("GET", "pure"), ("PUT", "idempotent"), ("DELETE", "idempotent"), ("POST", "unrepeatable")]
)
def test_the_method_says_what_a_repeated_call_does(method, effect) -> None:
    assert HttpTool(name="ask", host="h", port=1, json_schema=SCHEMA, method=method).effect == effect


async def test_a_large_answer_is_an_error_the_model_is_told(server, answer) -> None:
    server.answers["/"] = answer(b"x" * 50_000_000)
    workbench = StaticWorkbench([tool(server, max_bytes=100_000)])

    result = await workbench.call_tool("ask", {"id": "1"})

    assert result.is_error
    assert "exceeds 100000 bytes" in result.to_text()


@pytest.mark.parametrize("kind", ["image/png", "application/octet-stream"])
async def test_a_binary_answer_is_an_error(server, answer, kind) -> None:
    server.answers["/"] = answer(b"\x89PNG\r\n\0", f"Content-Type: {kind}")

    with pytest.raises(ToolAnswerError, match="not a text"):
        await called(tool(server), id="1")


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe", b"[" * 100_000])
async def test_what_is_no_json_is_an_error(server, answer, body) -> None:
    server.answers["/"] = answer(body)

    with pytest.raises(ToolAnswerError, match="is not JSON"):
        await called(tool(server, return_type="json"), id="1")


async def test_a_hanging_server_times_out(server) -> None:
    async def silent(_writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    server.answers["/"] = silent

    with pytest.raises(ToolServerTimeoutError):
        await called(tool(server, timeout=0.2), id="1")


async def test_redirects_are_not_followed(server, answer) -> None:
    server.answers["/"] = answer(b"moved", "Location: /b", status="302 Found")

    assert await called(tool(server), id="1") == "moved"


async def test_a_name_that_leads_inside_is_refused_until_it_is_allowed(server, answer, monkeypatch) -> None:
    server.answers["/"] = answer(b"ok")
    loop = asyncio.get_running_loop()
    original = loop.getaddrinfo

    async def inside(host, port, **options):
        return await original("127.0.0.1", port, **options)

    monkeypatch.setattr(loop, "getaddrinfo", inside)

    with pytest.raises(AddressRefusedError):
        await called(tool(server, host="orders.example"), id="1")
    assert await called(tool(server, host="orders.example", allow_private=True), id="1") == "ok"


async def test_metadata_is_refused_even_when_named() -> None:
    with pytest.raises(AddressRefusedError, match="metadata"):
        await called(HttpTool(name="ask", host="169.254.169.254", port=80, json_schema=SCHEMA), id="1")


async def test_json_must_say_that_it_means_a_private_address(server, answer) -> None:
    server.answers["/"] = answer(b"ok")
    dumped = tool(server).dump_component()
    silent = dumped.model_copy(deep=True)
    del silent.config["allow_private"]

    with use_component_policy(ComponentPolicy(allow_private_addresses=False)):
        strict = ComponentLoader.load_component(dumped, HttpTool)

    assert await called(ComponentLoader.load_component(dumped, HttpTool), id="1") == "ok"
    for refused in (strict, ComponentLoader.load_component(silent, HttpTool)):
        with pytest.raises(AddressRefusedError):
            await called(refused, id="1")


def test_the_config_is_autogens() -> None:
    public = HttpTool(name="ask", host="example.com", port=443, json_schema=SCHEMA, scheme="https")

    dumped = public.dump_component()

    assert dumped.provider == "autogen_ext.tools.http.HttpTool"
    assert dumped.config == {
        "name": "ask",
        "description": "HTTP tool",
        "scheme": "https",
        "host": "example.com",
        "port": 443,
        "path": "/",
        "method": "POST",
        "json_schema": SCHEMA,
        "return_type": "text",
        "timeout": 5.0,
    }
