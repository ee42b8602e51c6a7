"""Counts prompt tokens: by tiktoken where an encoding is loaded, else by an estimate; never by a download."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tiktoken
import tiktoken.registry

from agentopic.core._turn import current_turn
from agentopic.core.models import LLMMessage
from agentopic.core.tools import Tool, ToolSchema
from agentopic.ext.models._client import estimate_tokens, prompt_tokens


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
    return prompt_tokens(messages, tools, _counter(model))


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
