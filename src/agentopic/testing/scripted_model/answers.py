"""What a script is asked and what it answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """One call of the chat completions API."""

    caller: str
    """Who calls: the part of the base URL's path before `/v1`; empty when there is none."""
    body: Mapping[str, Any]
    """The request as the API defines it."""
    authorization: str | None = None
    """The header of that name."""

    @property
    def model(self) -> str:
        """The model asked for."""
        return str(self.body.get("model", ""))

    @property
    def messages(self) -> Sequence[Mapping[str, Any]]:
        """The conversation."""
        return self.body.get("messages", [])

    @property
    def fingerprint(self) -> str:
        """The same for two calls that ask the same: a hash of the whole request, the caller apart."""
        canonical = json.dumps(self.body, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:32]

    def text_of(self, role: str) -> str:
        """Return the text of the last message of a role; empty when there is none."""
        for message in reversed(self.messages):
            if message.get("role") == role:
                return _text(message.get("content"))
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A tool the model wants called."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer: text, tool calls, or a status other than 200 for a provider that fails."""

    text: str = ""
    tool_calls: Sequence[ToolCall] = ()
    latency_seconds: float = 0.0
    """How long the call stays open before the answer is sent."""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Further headers of the answer, for example Retry-After."""


class Script(Protocol):
    """Decides what the model says."""

    async def reply(self, request: ChatRequest) -> Reply | Mapping[str, Any]:
        """Return the answer to one call; a mapping is a finished completion in the API's own form."""
        ...


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts: list[Mapping[str, Any]] = content or []
    return "".join(part.get("text", "") for part in parts)
