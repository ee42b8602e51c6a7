"""`Cassette`: records the HTTP conversations of model clients in a file, and plays them again without a network."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, TypeAlias

from agentopic.errors import CassetteError, MissingExtraError
from agentopic.ext.models.cassette._recording import (
    Recording,
    append_recording,
    read_recordings,
    recording_of,
    shown_body,
    shown_path,
)

Library: TypeAlias = Literal["httpx", "httpx2"]
"""The HTTP library of an SDK: httpx2 of OpenAI's and Anthropic's, httpx of Ollama's; Gemini's takes both."""


class Cassette:
    """A file of recordings, one JSON object per line.

    `record` asks the provider and appends what it answered; `replay` answers from the file alone, equal requests in
    the order in which they were recorded. A file never holds request headers, so no key can get into it; keys in
    addresses and texts that look like keys are masked.
    """

    def __init__(self, path: str | Path, mode: Literal["record", "replay"] = "replay") -> None:
        self._path = Path(path)
        self._mode = mode
        self._left = read_recordings(self._path) if mode == "replay" else []

    @property
    def unplayed(self) -> list[Recording]:
        """What nobody has asked for yet."""
        return list(self._left)

    def transport(self, library: Library = "httpx2", inner: Any = None) -> Any:
        """A transport for an AsyncClient of that library; records what `inner`, or the network, answers."""
        return _transport(self, library, inner)

    def http_client(self, library: Library = "httpx2", **options: Any) -> Any:
        """An AsyncClient of that library, to be given to a model client as `http_client`."""
        return _library(library).AsyncClient(transport=self.transport(library), **options)

    async def answered(self, request: Any, ask: Any, respond: Any) -> Any:
        """The answer to one request of an HTTP library: played, or asked for and recorded.

        Raises:
            CassetteError: nothing like it was recorded, or all of it has been played.
        """
        asked = await request.aread()
        if self._mode == "replay":
            recording = self._take(request.method, str(request.url), asked)
        else:
            answer = await ask(request)
            body = await answer.aread()
            await answer.aclose()
            recording = recording_of(
                method=request.method,
                url=str(request.url),
                asked=asked,
                status=answer.status_code,
                headers=answer.headers,
                answered=body,
            )
            append_recording(self._path, recording)
        return respond(recording.status, headers=recording.headers, content=recording.body)

    def _take(self, method: str, url: str, asked: bytes) -> Recording:
        path, body = shown_path(url), shown_body(asked)
        for index, recording in enumerate(self._left):
            if recording.answers(method, path, body):
                return self._left.pop(index)
        raise CassetteError(
            f"{self._path} holds no answer (left) to {method} {path} with the body {body[:200]}; record it again"
        )


def _transport(cassette: Cassette, library: Library, inner: Any) -> Any:
    http = _library(library)

    class CassetteTransport(http.AsyncBaseTransport):
        def __init__(self) -> None:
            self._inner = http.AsyncHTTPTransport() if inner is None else inner

        async def handle_async_request(self, request: Any) -> Any:
            return await cassette.answered(request, self._inner.handle_async_request, http.Response)

        async def aclose(self) -> None:
            await self._inner.aclose()

    return CassetteTransport()


def _library(name: Library) -> Any:
    if find_spec(name) is None:
        raise MissingExtraError(f"a cassette for {name}", "http")
    return importlib.import_module(name)
