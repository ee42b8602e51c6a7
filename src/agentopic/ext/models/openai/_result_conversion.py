"""Turns answers of the chat completions API into CreateResults."""

from __future__ import annotations

from typing import Any

from openai.types.chat import ChatCompletion
from openai.types.chat.chat_completion import ChoiceLogprobs
from openai.types.completion_usage import CompletionUsage

from agentopic.core.models import (
    ChatCompletionTokenLogprob,
    CreateResult,
    FinishReasons,
    RequestUsage,
    TopLogprob,
)
from agentopic.errors import ModelError
from agentopic.ext.models._client import AnswerDraft, usage_of

FINISH_REASONS: dict[str, FinishReasons] = {
    "stop": "stop",
    "length": "length",
    "content_filter": "content_filter",
    "tool_calls": "function_calls",
    "function_call": "function_calls",
    "function_calls": "function_calls",
}


def to_create_result(completion: ChatCompletion, *, thinks_in_content: bool) -> CreateResult:
    """The first choice of an answer.

    `thinks_in_content` says that the model puts its thought between <think> tags before its text.

    Raises:
        ModelError: the answer has no choice.
        ContentRefusedError: the model declined to answer.
    """
    if not completion.choices:
        raise ModelError("the provider answered without a choice")
    choice = completion.choices[0]
    message = choice.message
    draft = AnswerDraft(
        finish_reasons=FINISH_REASONS,
        thinks_in_content=thinks_in_content,
        finish_reason=choice.finish_reason or "",
        usage=to_usage(completion.usage),
        logprobs=to_logprobs(choice.logprobs) or [],
    )
    draft.add_text(message.content or "")
    draft.add_thought(reasoning_of(message) or "")
    draft.add_refusal(message.refusal or "")
    for call in message.tool_calls or ():
        if call.type == "function":
            draft.next_call(call_id=call.id, name=call.function.name, arguments=call.function.arguments)
    return draft.finished()


def to_usage(usage: CompletionUsage | None) -> RequestUsage:
    """The tokens paid; zero where the provider does not say."""
    if usage is None:
        return RequestUsage(prompt_tokens=0, completion_tokens=0)
    prompt, completion = (getattr(usage, name, None) for name in ("prompt_tokens", "completion_tokens"))
    return usage_of(prompt, completion, getattr(getattr(usage, "prompt_tokens_details", None), "cached_tokens", None))


def to_logprobs(logprobs: ChoiceLogprobs | Any | None) -> list[ChatCompletionTokenLogprob] | None:
    """The tokens' probabilities, or None where there are none."""
    if logprobs is None or not logprobs.content:
        return None
    return [
        ChatCompletionTokenLogprob(
            token=token.token,
            logprob=token.logprob,
            top_logprobs=[TopLogprob(logprob=top.logprob, bytes=top.bytes) for top in token.top_logprobs],
            bytes=token.bytes,
        )
        for token in logprobs.content
    ]


def reasoning_of(message: Any) -> str | None:
    """The reasoning text that some providers send beside the content."""
    extra: dict[str, Any] = message.model_extra or {}
    reasoning = extra.get("reasoning_content") or extra.get("reasoning")
    return reasoning if isinstance(reasoning, str) else None
