"""`ForwardingScript`: asks a real provider, so that the calls of real agents are noted outside of them, too."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from agentopic.testing.scripted_model.answers import ChatRequest, Reply

# The answer is taken whole; a caller that asked for a stream is given it in one piece.
_STREAMING = {"stream", "stream_options"}


class ForwardingScript:
    """Hands every call to the server at `base_url` with the caller's own key, and its answer back."""

    def __init__(self, base_url: str, *, timeout_seconds: float = 120.0) -> None:
        self._address = f"{base_url.rstrip('/')}/chat/completions"
        self._timeout_seconds = timeout_seconds

    async def reply(self, request: ChatRequest) -> Reply | Mapping[str, Any]:
        """Return what the provider says; its refusals keep their status, its silence is a 502."""
        return await asyncio.to_thread(self._ask, request)

    def _ask(self, request: ChatRequest) -> Reply | Mapping[str, Any]:
        body = json.dumps({name: value for name, value in request.body.items() if name not in _STREAMING}).encode()
        asked = urllib.request.Request(self._address, data=body, headers={"Content-Type": "application/json"})  # noqa: S310 - the user names the provider
        if request.authorization is not None:
            asked.add_header("Authorization", request.authorization)
        try:
            with urllib.request.urlopen(asked, timeout=self._timeout_seconds) as answer:  # noqa: S310 - as above
                return json.load(answer)
        except urllib.error.HTTPError as error:
            wait = error.headers.get("Retry-After")
            headers = {"Retry-After": wait} if wait else {}
            return Reply(status=error.code, text=error.read().decode(errors="replace"), headers=headers)
        except (OSError, ValueError) as error:
            return Reply(status=502, text=f"{self._address} did not answer: {error}")
