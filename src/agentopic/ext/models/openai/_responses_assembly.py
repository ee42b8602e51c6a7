"""Puts answers of the responses API together, whole ones and streamed ones."""

from __future__ import annotations

from typing import Any

from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseFailedEvent,
    ResponseIncompleteEvent,
    ResponseStreamEvent,
)

from agentopic.core.models import CreateResult, FinishReasons
from agentopic.errors import (
    ContentRefusedError,
    ModelError,
    ModelRefusedError,
    ModelUnavailableError,
    RateLimitedError,
)
from agentopic.ext.models._client import AnswerDraft, KeptReasoning, usage_of

_FINISH_REASONS: dict[str, FinishReasons] = {
    "completed": "stop",
    "max_output_tokens": "length",
    "content_filter": "content_filter",
}
_UNFINISHED = frozenset({"queued", "in_progress"})
_PASSES = frozenset({"server_error", "vector_store_timeout", "failed_to_download_image", "image_file_not_found"})


def is_finished(response: Response) -> bool:
    """Whether the provider works on it no more."""
    return response.status not in _UNFINISHED


def to_create_result(response: Response, kept: KeptReasoning[list[dict[str, Any]]]) -> CreateResult:
    """What the model said.

    Raises:
        ModelError: the provider has given up, or the model declined to answer; a subclass says which.
        ModelUnavailableError: the response is not finished.
    """
    if response.error is not None or response.status in {"failed", "cancelled"}:
        raise _failure(response)
    draft = AnswerDraft(finish_reasons=_FINISH_REASONS, finish_reason=_reason(response))
    reasoning: list[dict[str, Any]] = []
    for item in response.output:
        if item.type == "message":
            for part in item.content:
                _add_part(draft, part)
        elif item.type == "function_call":
            draft.next_call(call_id=item.call_id, name=item.name, arguments=item.arguments)
        elif item.type == "reasoning":
            draft.add_thought("\n".join(part.text for part in item.summary))
            reasoning.append(item.model_dump(exclude_none=True))
    if response.usage is not None:
        cached = getattr(response.usage.input_tokens_details, "cached_tokens", None)
        draft.usage = usage_of(response.usage.input_tokens, response.usage.output_tokens, cached)
    result = draft.finished()
    if result.finish_reason == "content_filter" and not result.content:
        raise ContentRefusedError("the provider's filter holds the answer back")
    if isinstance(result.content, list) and reasoning:
        kept.keep(result.content[0].id, reasoning)
    return result


class ResponsesAssembly:
    """Collects events; `add` gives the new text, `result` the whole answer of the last event."""

    def __init__(self, kept: KeptReasoning[list[dict[str, Any]]]) -> None:
        self._kept = kept
        self._final: Response | None = None

    def add(self, event: ResponseStreamEvent) -> list[str]:
        """Take an event in; the text it adds, none for most other events."""
        if event.type == "response.output_text.delta":
            return [event.delta]
        if isinstance(event, ResponseCompletedEvent | ResponseIncompleteEvent | ResponseFailedEvent):
            self._final = event.response
        elif event.type == "error":
            raise _of_code(event.code or "", event.message)
        return []

    def result(self) -> CreateResult:
        """The whole answer; raises as to_create_result does, and when the stream ended before the answer did."""
        if self._final is None:
            raise ModelUnavailableError("the stream ended before the answer was complete")
        return to_create_result(self._final, self._kept)


def _reason(response: Response) -> str | None:
    if response.status in _UNFINISHED:
        return None
    if response.incomplete_details is not None:
        return response.incomplete_details.reason or "incomplete"
    return response.status or "completed"


def _add_part(draft: AnswerDraft, part: Any) -> None:
    if part.type == "output_text":
        draft.add_text(part.text)
    elif part.type == "refusal":
        draft.add_refusal(part.refusal)


def _failure(response: Response) -> ModelError:
    if response.error is None:
        return ModelRefusedError(f"the provider has ended its work on the answer: {response.status}")
    return _of_code(response.error.code, response.error.message)


def _of_code(code: str, message: str) -> ModelError:
    if code == "rate_limit_exceeded":
        return RateLimitedError(message)
    if code in _PASSES:
        return ModelUnavailableError(message)
    if "content" in code or "safety" in code or "policy" in code:
        return ContentRefusedError(message)
    return ModelRefusedError(f"{code}: {message}")
