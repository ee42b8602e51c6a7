"""`ScriptedModel`: the server, which notes every call before it is answered."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self, cast

from agentopic.testing.scripted_model.answers import ChatRequest, Reply, Script
from agentopic.testing.scripted_model.call_log import CallLog
from agentopic.testing.scripted_model.completion import chunks, completion, failure
from agentopic.testing.scripted_model.http import HttpAnswer, HttpRequest, read_request

_ROUTE = re.compile(r"/(?:(?P<caller>.+)/)?v1/chat/completions/?(?:\?.*)?")
_MAX_HEAD_BYTES = 64 * 1024


class ScriptedModel:
    """Speaks the chat completions API on loopback; what it says is up to a script.

    A base URL of `<address>/<caller>/v1` names the caller, so that the log tells callers apart. A call is logged
    as open before the script is asked, and as closed once its answer has been handed to the network.
    """

    def __init__(self, script: Script, log: Path, *, port: int = 0) -> None:
        self._script = script
        self._log = CallLog(log)
        self._port = port
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[Any]] = set()

    @property
    def address(self) -> str:
        """`http://127.0.0.1:<port>` of the running server."""
        return f"http://127.0.0.1:{self._port}"

    def base_url(self, caller: str = "") -> str:
        """Return what a client is given, for one caller or for nobody in particular."""
        return f"{self.address}/{caller}/v1" if caller else f"{self.address}/v1"

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._converse, "127.0.0.1", self._port, limit=_MAX_HEAD_BYTES)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the door and end every connection, answered or not."""
        if self._server is not None:
            self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        self._log.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        self._connections.add(task)
        try:
            while (request := await read_request(reader)) is not None:
                await self._serve(request, writer)
        except (ConnectionError, asyncio.CancelledError):
            # The caller is gone, or the server is being stopped: both end the conversation, nothing more.
            return
        finally:
            self._connections.discard(task)
            writer.close()

    async def _serve(self, request: HttpRequest, writer: asyncio.StreamWriter) -> None:
        route = _ROUTE.fullmatch(request.path)
        body = _json_object(request.body)
        if request.method != "POST" or route is None or body is None:
            status = 404 if route is None else 400
            writer.write(_failed(status, f"{request.method} {request.path} is not served here").encoded())
            return await writer.drain()
        asked = ChatRequest(caller=route["caller"] or "", body=body, authorization=request.headers.get("authorization"))
        return await self._answer(asked, writer)

    async def _answer(self, request: ChatRequest, writer: asyncio.StreamWriter) -> None:
        call = self._log.opened(request)
        status, delivered, usage = 0, False, dict[str, int]()
        try:
            said = await self._script.reply(request)
            if isinstance(said, Reply):
                await asyncio.sleep(said.latency_seconds)
            answer, usage = _http_answer(request, said)
            status = answer.status
            writer.write(answer.encoded())
            await writer.drain()
            delivered = not writer.is_closing()
        finally:
            self._log.closed(
                call,
                status=status,
                delivered=delivered,
                prompt_tokens=usage.get("prompt_tokens", 0),
                completion_tokens=usage.get("completion_tokens", 0),
            )


def _http_answer(request: ChatRequest, said: Reply | Mapping[str, Any]) -> tuple[HttpAnswer, dict[str, int]]:
    if isinstance(said, Reply) and said.status != 200:
        return _failed(said.status, said.text, said.headers), {}
    whole = completion(request, said) if isinstance(said, Reply) else said
    headers: Mapping[str, str] = said.headers if isinstance(said, Reply) else {}
    usage: dict[str, int] = whole.get("usage") or {}
    if not request.body.get("stream"):
        return HttpAnswer(status=200, body=json.dumps(whole).encode(), headers=headers), usage
    options: Mapping[str, Any] = request.body.get("stream_options") or {}
    events = b"".join(chunks(whole, with_usage=bool(options.get("include_usage"))))
    return HttpAnswer(status=200, body=events, content_type="text/event-stream", headers=headers), usage


def _failed(status: int, text: str, headers: Mapping[str, str] | None = None) -> HttpAnswer:
    return HttpAnswer(status=status, body=json.dumps(failure(status, text)).encode(), headers=headers or {})


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except ValueError:
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None
