"""Turns answers of the chat completions API into CreateResults."""

from __future__ import annotations

import re
from typing import Any

from openai.types.chat import ChatCompletion, ChatCompletionMessage
from openai.types.chat.chat_completion import ChoiceLogprobs
from openai.types.completion_usage import CompletionUsage

from agentopic.core import FunctionCall
from agentopic.core.models import (
    ChatCompletionTokenLogprob,
    CreateResult,
    FinishReasons,
    RequestUsage,
    TopLogprob,
)
from agentopic.core.models._types import CachedRequestUsage
from agentopic.errors import ModelError, ModelRefusedError
from agentopic.ext.models.openai._tool_conversion import normalize_name

_FINISH_REASONS: dict[str, FinishReasons] = {
    "stop": "stop",
    "length": "length",
    "content_filter": "content_filter",
    "tool_calls": "function_calls",
    "function_call": "function_calls",
    "function_calls": "function_calls",
}
_THINKING = re.compile(r"\s*<think>(?P<thought>.*?)</think>\s*(?P<content>.*)", re.DOTALL)


def to_create_result(completion: ChatCompletion, *, thinks_in_content: bool) -> CreateResult:
    """The first choice of an answer.

    `thinks_in_content` says that the model puts its thought between <think> tags before its text.

    Raises:
        ModelError: the answer has no choice.
        ModelRefusedError: the model declined to answer.
    """
    if not completion.choices:
        raise ModelError("the provider answered without a choice")
    choice = completion.choices[0]
    return make_result(
        text=choice.message.content,
        calls=_calls(choice.message),
        refusal=choice.message.refusal,
        thought=reasoning_of(choice.message),
        finish_reason=choice.finish_reason,
        usage=to_usage(completion.usage),
        logprobs=to_logprobs(choice.logprobs),
        thinks_in_content=thinks_in_content,
    )


def make_result(
    *,
    text: str | None,
    calls: list[FunctionCall],
    refusal: str | None,
    thought: str | None,
    finish_reason: str | None,
    usage: RequestUsage,
    logprobs: list[ChatCompletionTokenLogprob] | None,
    thinks_in_content: bool,
) -> CreateResult:
    """Put an answer together from its parts: tool calls win over text, which is then the thought."""
    if refusal and not text and not calls:
        raise ModelRefusedError(f"the model declined to answer: {refusal}")
    reason = _FINISH_REASONS.get(finish_reason or "", "unknown")
    if calls:
        return CreateResult(
            finish_reason="function_calls",
            content=calls,
            usage=usage,
            cached=False,
            logprobs=logprobs,
            thought=thought or text or None,
        )
    content = text or ""
    if thinks_in_content and thought is None and (match := _THINKING.fullmatch(content)):
        thought, content = match["thought"].strip(), match["content"]
    return CreateResult(
        finish_reason=reason, content=content, usage=usage, cached=False, logprobs=logprobs, thought=thought
    )


def to_usage(usage: CompletionUsage | None) -> RequestUsage:
    """The tokens paid; zero where the provider does not say."""
    if usage is None:
        return RequestUsage(prompt_tokens=0, completion_tokens=0)
    prompt, completion = (getattr(usage, name, None) or 0 for name in ("prompt_tokens", "completion_tokens"))
    cached = getattr(getattr(usage, "prompt_tokens_details", None), "cached_tokens", None) or 0
    if cached:
        return CachedRequestUsage(prompt_tokens=prompt, completion_tokens=completion, cached_tokens=cached)
    return RequestUsage(prompt_tokens=prompt, completion_tokens=completion)


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


def _calls(message: ChatCompletionMessage) -> list[FunctionCall]:
    return [
        FunctionCall(id=call.id, arguments=call.function.arguments, name=normalize_name(call.function.name))
        for call in message.tool_calls or ()
        if call.type == "function"
    ]
