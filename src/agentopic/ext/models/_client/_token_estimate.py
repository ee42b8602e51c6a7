"""Counts prompt tokens by a counter of text, or by an estimate; the same number wherever it is made."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

from agentopic.core import Image
from agentopic.core.models import AssistantMessage, FunctionExecutionResultMessage, LLMMessage, UserMessage
from agentopic.core.tools import Tool, ToolSchema

_PER_MESSAGE = 3
_PER_NAME = 1
_PER_TOOL = 12
_REPLY = 3
_IMAGE = 85
_IMAGE_TILE = 170
_PIECE = re.compile(r"[A-Za-z]+|[0-9]+|\s+|[^\x00-\x7f]|[^\sA-Za-z0-9]")


def estimate_tokens(text: str) -> int:
    """About as many tokens as the encodings of today's models make of a text, rather more than less."""
    return sum(map(_piece, _PIECE.findall(text)))


def prompt_tokens(
    messages: Sequence[LLMMessage],
    tools: Sequence[Tool | ToolSchema],
    count: Callable[[str], int] = estimate_tokens,
) -> int:
    """The tokens of a prompt, where `count` tells those of a text."""
    total = _REPLY + sum(_message(message, count) for message in messages)
    for tool in tools:
        schema = tool.schema if isinstance(tool, Tool) else tool
        total += _PER_TOOL + count(json.dumps(schema))
    return total


def _piece(piece: str) -> int:
    if piece.isspace():
        return 0 if len(piece) == 1 else 1
    if not piece.isascii():
        return 1
    if piece.isdigit():
        return math.ceil(len(piece) / 3)
    return math.ceil(len(piece) / 6)


def _message(message: LLMMessage, count: Callable[[str], int]) -> int:
    total = _PER_MESSAGE
    if isinstance(message, UserMessage | AssistantMessage):
        total += _PER_NAME + count(message.source)
    if isinstance(message, AssistantMessage) and message.thought:
        total += count(message.thought)
    if isinstance(message, FunctionExecutionResultMessage):
        return total + sum(count(result.content) + _PER_MESSAGE for result in message.content)
    if isinstance(message.content, str):
        return total + count(message.content)
    return total + sum(_part(part, count) for part in message.content)


def _part(part: Any, count: Callable[[str], int]) -> int:
    if isinstance(part, str):
        return count(part)
    if isinstance(part, Image):
        return _image_tokens(*part.image.size)
    return count(part.name) + count(part.arguments)


def _image_tokens(width: int, height: int) -> int:
    """OpenAI's published rule for high detail: fit into 2048², shorter side to 768, tiles of 512²."""
    fit = min(1.0, 2048 / max(width, height))
    shrink = min(1.0, 768 / (min(width, height) * fit))
    tiles = math.ceil(width * fit * shrink / 512) * math.ceil(height * fit * shrink / 512)
    return _IMAGE + _IMAGE_TILE * tiles
