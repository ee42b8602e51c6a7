"""Puts answers together: whole ones from their blocks, streamed ones from their events."""

from __future__ import annotations

import json
from typing import Any

from anthropic.types import Message, RawMessageStreamEvent

from agentopic.core.models import CreateResult, FinishReasons, RequestUsage
from agentopic.errors import ContentRefusedError, ModelUnavailableError
from agentopic.ext.models._client import AnswerDraft, KeptReasoning, usage_of
from agentopic.ext.models.anthropic._message_conversion import Block

_THINKING = ("thinking", "redacted_thinking")
_FINISH_REASONS: dict[str, FinishReasons] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "function_calls",
    "refusal": "content_filter",
}


def to_create_result(message: Message, kept: KeptReasoning[list[Block]]) -> CreateResult:
    """The answer of a call that was not streamed; raises as AnswerAssembly.result does."""
    assembly = AnswerAssembly(kept)
    assembly.take_whole(message)
    return assembly.result()


class AnswerAssembly:
    """Collects blocks or events; `add` gives the new text, `result` the whole answer."""

    def __init__(self, kept: KeptReasoning[list[Block]]) -> None:
        self._kept = kept
        self._draft = AnswerDraft(finish_reasons=_FINISH_REASONS)
        self._blocks: dict[int, dict[str, Any]] = {}
        self._usage: dict[str, int] = {}
        self._ended = False

    def take_whole(self, message: Message) -> None:
        """Take in an answer that came in one piece."""
        for index, block in enumerate(message.content):
            self._open(index, block)
            self._close(index)
        self._add_usage(message.usage)
        self._draft.finish_reason = message.stop_reason or ""
        self._ended = True

    def add(self, event: RawMessageStreamEvent) -> list[str]:
        """Take an event in; the text or thought it adds, none for most other events."""
        piece = self._take(event)
        return [piece] if piece else []

    def _take(self, event: RawMessageStreamEvent) -> str:
        if event.type == "message_start":
            self._add_usage(event.message.usage)
        elif event.type == "content_block_start":
            return self._open(event.index, event.content_block)
        elif event.type == "content_block_delta":
            return self._extend(event.index, event.delta)
        elif event.type == "content_block_stop":
            self._close(event.index)
        elif event.type == "message_delta":
            self._add_usage(event.usage)
            self._draft.finish_reason = event.delta.stop_reason or self._draft.finish_reason
        elif event.type == "message_stop":
            self._ended = True
        return ""

    def result(self) -> CreateResult:
        """The whole answer.

        Raises:
            ModelUnavailableError: the stream ended before the answer did.
            ContentRefusedError: the model declined to answer and said nothing else.
        """
        if not self._ended:
            raise ModelUnavailableError("the stream ended before the answer was complete")
        self._draft.usage = self._paid()
        result = self._draft.finished()
        if result.finish_reason == "content_filter" and not result.content:
            raise ContentRefusedError("the model declined to answer")
        if isinstance(result.content, list):
            self._keep_thinking(result.content[0].id)
        return result

    def _open(self, index: int, block: Any) -> str:
        """A block that begins; whole answers have everything in it, streamed ones begin with empty blocks."""
        opened = block.model_dump(exclude_none=True)
        opened["partial_json"] = ""
        self._blocks[index] = opened
        if block.type == "text":
            return self._draft.add_text(block.text)
        if block.type == "thinking":
            return self._draft.add_thought(block.thinking)
        return ""

    def _extend(self, index: int, delta: Any) -> str:
        block = self._blocks.get(index)
        if block is None:
            raise ModelUnavailableError("the stream goes on with a block that it has not begun")
        if delta.type == "text_delta":
            block["text"] = block.get("text", "") + delta.text
            return self._draft.add_text(delta.text)
        if delta.type == "thinking_delta":
            block["thinking"] = block.get("thinking", "") + delta.thinking
            return self._draft.add_thought(delta.thinking)
        if delta.type == "input_json_delta":
            block["partial_json"] += delta.partial_json
        elif delta.type == "signature_delta":
            block["signature"] = block.get("signature", "") + delta.signature
        return ""

    def _close(self, index: int) -> None:
        block = self._blocks.get(index, {})
        pieces = block.pop("partial_json", "")
        if block.get("type") == "tool_use":
            arguments = _normal(pieces) if pieces else json.dumps(block["input"])
            self._draft.next_call(call_id=block["id"], name=block["name"], arguments=arguments)

    def _keep_thinking(self, call_id: str) -> None:
        """The API wants thinking back as it signed it, with the text between it and the calls."""
        blocks = [block for _, block in sorted(self._blocks.items()) if block["type"] != "tool_use"]
        if any(block["type"] in _THINKING for block in blocks):
            self._kept.keep(call_id, [block for block in blocks if block["type"] != "text" or block["text"]])

    def _add_usage(self, usage: Any) -> None:
        for name, count in usage.model_dump().items():
            if isinstance(count, int):
                self._usage[name] = count

    def _paid(self) -> RequestUsage:
        """The API counts input from and into its cache apart from the other input."""
        cached = self._usage.get("cache_read_input_tokens", 0)
        prompt = self._usage.get("input_tokens", 0) + cached + self._usage.get("cache_creation_input_tokens", 0)
        return usage_of(prompt, self._usage.get("output_tokens", 0), cached)


def _normal(arguments: str) -> str:
    """Arguments that came in pieces, spelled as those that came whole; what is no JSON stays as it is."""
    try:
        return json.dumps(json.loads(arguments))
    except json.JSONDecodeError:
        return arguments
