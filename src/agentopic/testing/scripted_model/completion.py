"""Answers in the form of the chat completions API, whole or as a stream."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

from agentopic.testing.scripted_model.answers import ChatRequest, Reply

# Good enough for a model that bills nobody: English has about four characters to a token.
_CHARACTERS_PER_TOKEN = 4


def completion(request: ChatRequest, reply: Reply) -> dict[str, Any]:
    """Return a reply as a completion; ids are derived from the request, so that a repeat has the same."""
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None}
    if reply.tool_calls:
        message["tool_calls"] = [
            {
                "id": f"call_{request.fingerprint[:20]}_{number}",
                "type": "function",
                "function": {"name": call.name, "arguments": json.dumps(call.arguments)},
            }
            for number, call in enumerate(reply.tool_calls)
        ]
    prompt, answer = _tokens(request.messages), _tokens(message)
    return {
        "id": f"chatcmpl-{request.fingerprint}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": request.model,
        "choices": [{"index": 0, "finish_reason": "tool_calls" if reply.tool_calls else "stop", "message": message}],
        "usage": {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer},
    }


def failure(status: int, text: str) -> dict[str, Any]:
    """Return the body of an answer that is none."""
    return {"error": {"message": text or "the script says so", "type": "scripted", "code": status}}


def chunks(whole: Mapping[str, Any], *, with_usage: bool) -> Iterator[bytes]:
    """Return a completion as the server-sent events of a stream: its content, its end, its usage."""
    base = {**{name: whole[name] for name in ("id", "created", "model")}, "object": "chat.completion.chunk"}
    choice = whole["choices"][0]
    delta: dict[str, Any] = dict(choice["message"])
    calls: list[dict[str, Any]] = delta.get("tool_calls") or []
    if calls:
        delta["tool_calls"] = [{"index": number, **call} for number, call in enumerate(calls)]
    yield _event({**base, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    end: dict[str, Any] = {"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}
    yield _event({**base, "choices": [end]})
    if with_usage:
        yield _event({**base, "choices": [], "usage": whole["usage"]})
    yield b"data: [DONE]\n\n"


def _event(value: object) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def _tokens(value: object) -> int:
    return max(1, len(json.dumps(value)) // _CHARACTERS_PER_TOKEN)
