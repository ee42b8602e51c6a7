"""Turns agent messages into contents of the Gemini API."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any, Final, TypeAlias, cast

from agentopic.core import FunctionCall, Image
from agentopic.core.models import (
    AssistantMessage,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    UserMessage,
)
from agentopic.ext.models._client import KeptReasoning

Content: TypeAlias = dict[str, Any]

NOT_KEPT: Final = b"skip_thought_signature_validator"
"""What the API takes in place of a signature that its caller does not have."""


def to_contents(messages: Sequence[LLMMessage], signatures: KeptReasoning[bytes], *, signed: bool) -> list[Content]:
    """The same conversation for the API, which takes instructions elsewhere.

    `signed` says that the model refuses tool calls of its own without a signature.
    """
    return [_convert(message, signatures, signed) for message in messages]


def _convert(message: LLMMessage, signatures: KeptReasoning[bytes], signed: bool) -> Content:
    if isinstance(message, UserMessage):
        return {"role": "user", "parts": _user_parts(message)}
    if isinstance(message, AssistantMessage):
        return {"role": "model", "parts": _model_parts(message, signatures, signed)}
    if isinstance(message, FunctionExecutionResultMessage):
        return {"role": "user", "parts": [_result_part(result) for result in message.content]}
    raise ValueError("instructions are no part of the conversation in this API")


def _user_parts(message: UserMessage) -> list[dict[str, Any]]:
    content = [message.content] if isinstance(message.content, str) else message.content
    return [_part(part) for part in content]


def _part(part: str | Image) -> dict[str, Any]:
    if isinstance(part, str):
        return {"text": part}
    return {"inline_data": {"mime_type": "image/png", "data": base64.b64decode(part.to_base64())}}


def _model_parts(message: AssistantMessage, signatures: KeptReasoning[bytes], signed: bool) -> list[dict[str, Any]]:
    if isinstance(message.content, str):
        return [{"text": message.content}]
    parts = [_call_part(call, signatures) for call in message.content]
    if signed and "thought_signature" not in parts[0]:
        parts[0]["thought_signature"] = NOT_KEPT
    return parts


def _call_part(call: FunctionCall, signatures: KeptReasoning[bytes]) -> dict[str, Any]:
    part: dict[str, Any] = {"function_call": {"name": call.name, "args": _object(call.arguments)}}
    signature = signatures.of(call.id)
    return part if signature is None else {**part, "thought_signature": signature}


def _object(arguments: str) -> dict[str, Any]:
    """The API takes objects only; what the model wrote instead is shown to it as it was."""
    try:
        parsed: Any = json.loads(arguments) if arguments else {}
    except json.JSONDecodeError:
        return {"text": arguments}
    return cast("dict[str, Any]", parsed) if isinstance(parsed, dict) else {"value": parsed}


def _result_part(result: FunctionExecutionResult) -> dict[str, Any]:
    said = {"error": result.content} if result.is_error else {"output": result.content}
    return {"function_response": {"name": result.name, "response": said}}
