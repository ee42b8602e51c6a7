"""Puts answers together: whole ones, and streamed ones from their parts."""

from __future__ import annotations

import json
import uuid

from google.genai import types

from agentopic.core.models import CreateResult, FinishReasons
from agentopic.errors import ContentRefusedError, ModelUnavailableError
from agentopic.ext.models._client import AnswerDraft, KeptReasoning, usage_of

_FILTERED = (
    "SAFETY",
    "RECITATION",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION",
    "MODEL_ARMOR",
)
_FINISH_REASONS: dict[str, FinishReasons] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    **dict.fromkeys(_FILTERED, "content_filter"),
}
_BROKEN = frozenset({"MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE", "UNEXPECTED_TOOL_CALL"})


class AnswerAssembly:
    """Collects parts; `add` gives the new text, `result` the whole answer."""

    def __init__(self, signatures: KeptReasoning[bytes]) -> None:
        self._signatures = signatures
        self._draft = AnswerDraft(finish_reasons=_FINISH_REASONS)

    def add(self, event: types.GenerateContentResponse) -> list[str]:
        """Take a part in, or a whole answer; the text it adds, if any.

        Raises:
            ContentRefusedError: the question was not let through.
            ModelUnavailableError: the model has produced what cannot be read.
        """
        if event.usage_metadata is not None:
            self._add_usage(event.usage_metadata)
        if not event.candidates:
            self._check_blocked(event)
            return []
        candidate = event.candidates[0]
        parts = (candidate.content.parts if candidate.content else None) or ()
        shown = "".join([self._add_part(part) for part in parts])
        if candidate.finish_reason is not None:
            self._end(candidate.finish_reason, candidate.finish_message)
        return [shown] if shown else []

    def result(self) -> CreateResult:
        """The whole answer.

        Raises:
            ModelUnavailableError: the stream ended before the answer did.
            ContentRefusedError: the model declined to answer and said nothing else.
        """
        result = self._draft.finished()
        if result.finish_reason == "content_filter" and not result.content:
            raise ContentRefusedError(f"the model declined to answer: {self._draft.finish_reason}")
        return result

    def _add_part(self, part: types.Part) -> str:
        if part.function_call is not None:
            self._add_call(part.function_call, part.thought_signature)
        elif part.text and part.thought:
            self._draft.add_thought(part.text)
        elif part.text:
            return self._draft.add_text(part.text)
        return ""

    def _add_call(self, call: types.FunctionCall, signature: bytes | None) -> None:
        call_id = call.id or f"call_{uuid.uuid4().hex[:24]}"
        if signature is not None:
            self._signatures.keep(call_id, signature)
        self._draft.next_call(call_id=call_id, name=call.name or "", arguments=json.dumps(call.args or {}))

    def _end(self, reason: types.FinishReason, said: str | None) -> None:
        if reason.value in _BROKEN:
            raise ModelUnavailableError(f"the model has produced what cannot be read: {said or reason.value}")
        self._draft.finish_reason = reason.value

    def _add_usage(self, usage: types.GenerateContentResponseUsageMetadata) -> None:
        """Thoughts are billed as output; what tools of the provider itself put into the prompt, as input."""
        self._draft.usage = usage_of(
            (usage.prompt_token_count or 0) + (usage.tool_use_prompt_token_count or 0),
            (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0),
            usage.cached_content_token_count,
        )

    def _check_blocked(self, event: types.GenerateContentResponse) -> None:
        feedback = event.prompt_feedback
        if feedback is not None and feedback.block_reason is not None:
            said = feedback.block_reason_message or feedback.block_reason.value
            raise ContentRefusedError(f"the provider does not let the question through: {said}")
