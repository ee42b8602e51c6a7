"""Counts prompt tokens: by tiktoken where an encoding is loaded, else by an estimate; never by a download."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import tiktoken
import tiktoken.registry

from agentopic.core import Image
from agentopic.core._turn import current_turn
from agentopic.core.models import (
    AssistantMessage,
    FunctionExecutionResultMessage,
    LLMMessage,
    UserMessage,
)
from agentopic.core.tools import Tool, ToolSchema

_PER_MESSAGE = 3
_PER_NAME = 1
_PER_TOOL = 12
_REPLY = 3
_IMAGE = 85
_IMAGE_TILE = 170
_PIECE = re.compile(r"[A-Za-z]+|[0-9]+|\s+|[^\x00-\x7f]|[^\sA-Za-z0-9]")


def load_encoding(model: str) -> None:
    """Load the encoding of a model, so that counts are exact; downloads it once per machine (blocking).

    Raises:
        KeyError: tiktoken knows no encoding for the model.
    """
    tiktoken.encoding_for_model(model)


def count_prompt_tokens(model: str, messages: Sequence[LLMMessage], tools: Sequence[Tool | ToolSchema]) -> int:
    """The tokens of a prompt.

    Inside a durable turn always the estimate, since a later attempt may run where no encoding is loaded and must
    come to the same number.
    """
    count = _counter(model)
    total = _REPLY + sum(_message(message, count) for message in messages)
    for tool in tools:
        schema = tool.schema if isinstance(tool, Tool) else tool
        total += _PER_TOOL + count(json.dumps(schema))
    return total


def estimate_tokens(text: str) -> int:
    """About as many tokens as GPT encodings make of a text, rather more than less."""
    return sum(map(_piece, _PIECE.findall(text)))


def _counter(model: str) -> Callable[[str], int]:
    if current_turn.get() is not None:
        return estimate_tokens
    try:
        encoding = tiktoken.registry.ENCODINGS.get(tiktoken.encoding_name_for_model(model))
    except KeyError:
        return estimate_tokens
    if encoding is None:
        return estimate_tokens
    return lambda text: len(encoding.encode(text, disallowed_special=()))


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
    """The published rule for high detail: fit into 2048², shorter side to 768, tiles of 512²."""
    fit = min(1.0, 2048 / max(width, height))
    shrink = min(1.0, 768 / (min(width, height) * fit))
    tiles = math.ceil(width * fit * shrink / 512) * math.ceil(height * fit * shrink / 512)
    return _IMAGE + _IMAGE_TILE * tiles
