"""A provider on loopback that fails as told: each request gets the next answer, the last one for ever."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any, Self, cast

HANG = b""
"""No answer at all; the connection stays open."""


def answer(status: int, body: object, **headers: str) -> bytes:
    """An answer with a JSON body, or with these bytes."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} X", "Content-Type: application/json", f"Content-Length: {len(raw)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + raw


def refusal(status: int, message: str = "no", **headers: str) -> bytes:
    """An answer in the form of the API's errors."""
    return answer(status, {"error": {"message": message, "type": "t", "code": None}}, **headers)


def completion(text: str) -> bytes:
    """A finished answer."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    whole = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
    return answer(200, whole)


def stream(*texts: str, ends: bool, length: int | None = None) -> bytes:
    """A streamed answer; one that does not end breaks off after its texts."""
    chunks = [_chunk({"content": text}, None) for text in texts]
    if ends:
        chunks += [_chunk({}, "stop"), b"data: [DONE]\n\n"]
    body = b"".join(chunks)
    size = len(body) if length is None else length
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {size}\r\n\r\n"
    return head.encode() + body


def _chunk(delta: dict[str, Any], finish: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    event = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return b"data: " + json.dumps(event).encode() + b"\n\n"


class FaultyProvider:
    """Answers requests in the order of its list; a connection ends with its answer."""

    def __init__(self, answers: Sequence[bytes]) -> None:
        self.answers = list(answers)
        self.requests: list[bytes] = []
        self.at: list[float] = []
        self._open: set[asyncio.Task[Any]] = set()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        self._open.add(task)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            sizes = [int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            body = await reader.readexactly(sum(sizes))
            self.requests.append(head + body)
            self.at.append(asyncio.get_running_loop().time())
            said = self.answers[min(len(self.requests), len(self.answers)) - 1]
            if said is HANG:
                await reader.read()
            writer.write(said.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return  # the caller is gone, or the test is over
        finally:
            self._open.discard(task)
            writer.close()
