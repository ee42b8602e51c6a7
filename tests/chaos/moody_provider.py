"""A model provider on loopback that answers when it likes: 429, 500, hangs, cut answers, and in between a good one."""

from __future__ import annotations

import asyncio
import json
import random
import re
from typing import Self

from agentopic.testing.history import HistoryFile

HANG = b""


def _answer(status: int, body: object, *headers: str) -> bytes:
    raw = json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} X", "Content-Type: application/json", f"Content-Length: {len(raw)}", *headers]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + raw


def _refusal(status: int, *headers: str) -> bytes:
    return _answer(status, {"error": {"message": "no", "type": "t", "code": None}}, *headers)


def _completion(text: str) -> bytes:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    whole = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
    return _answer(200, whole)


CUT = _completion("cut").replace(b"Content-Length: ", b"Content-Length: 9")
MOODS = (_refusal(429, "Retry-After: 0.1"), _refusal(500), _refusal(503), HANG, CUT)


THINKING = 0.1, 0.4
"""Seconds a good answer takes."""


class MoodyProvider:
    """Fails half of the requests; a good answer is a paid call of the process that asked."""

    def __init__(self, history: HistoryFile) -> None:
        self._history = history
        self.failed = 0

    @property
    def base_url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            size = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            body = await reader.readexactly(size)
            said = random.choice(MOODS) if random.random() < 0.5 else self._good(head, body)
            self.failed += said in MOODS
            if said is HANG:
                await reader.read()
            elif said not in MOODS:
                await asyncio.sleep(random.uniform(*THINKING))  # long enough for a kill to meet it
            writer.write(said)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # the caller is gone
        finally:
            writer.close()

    def _good(self, head: bytes, body: bytes) -> bytes:
        order = re.search(rb"order (\d+)", body)
        process = re.search(rb"x-process: (\d+)", head.lower())
        assert order is not None
        assert process is not None
        number = order[1].decode()
        self._history.note("call", "invoke", f"pay-{number}", process=process[1].decode())
        return _completion(f"paid-{number}")
