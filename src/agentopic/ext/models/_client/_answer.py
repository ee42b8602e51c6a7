"""Puts an answer together from what providers tell of it: text, tool calls, thought, reason, usage."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from agentopic.core import FunctionCall
from agentopic.core.models import ChatCompletionTokenLogprob, CreateResult, FinishReasons, RequestUsage
from agentopic.core.models._types import CachedRequestUsage
from agentopic.errors import AnswerTooLongError, ContentRefusedError, ModelUnavailableError

LONGEST_ANSWER: Final = 16 * 1024 * 1024
"""Characters of text, thought and arguments together; no model's window holds as many."""

_THINKING = re.compile(r"\s*<think>(?P<thought>.*?)</think>\s*(?P<content>.*)", re.DOTALL)
_NOT_IN_NAME = re.compile(r"[^a-zA-Z0-9_-]")


@dataclass(slots=True)
class CallDraft:
    """A tool call that is still arriving."""

    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(slots=True)
class AnswerDraft:
    """An answer that is still arriving; `finished` makes the result of it."""

    finish_reasons: Mapping[str, FinishReasons]
    """The provider's words for why a model stopped; a word that is not there means `unknown`."""
    thinks_in_content: bool = False
    """Whether the model puts its thought between <think> tags before its text."""
    finish_reason: str | None = None
    """The provider's word; None as long as it has not been said."""
    usage: RequestUsage = field(default_factory=lambda: RequestUsage(prompt_tokens=0, completion_tokens=0))
    logprobs: list[ChatCompletionTokenLogprob] = field(default_factory=list[ChatCompletionTokenLogprob])
    _text: list[str] = field(default_factory=list[str])
    _thought: list[str] = field(default_factory=list[str])
    _refusal: list[str] = field(default_factory=list[str])
    _calls: dict[int, CallDraft] = field(default_factory=dict[int, CallDraft])
    _length: int = 0

    def add_text(self, text: str) -> str:
        """Take a piece of text in; returns it."""
        self._text.append(self._counted(text))
        return text

    def add_thought(self, text: str) -> str:
        """Take a piece of the reasoning in; returns it."""
        self._thought.append(self._counted(text))
        return text

    def add_refusal(self, text: str) -> None:
        """Take a piece of the words in with which the model declines to answer."""
        self._refusal.append(self._counted(text))

    def add_call(self, index: int, *, call_id: str | None = None, name: str = "", arguments: str = "") -> None:
        """Take a piece of the tool call at `index` in."""
        call = self._calls.setdefault(index, CallDraft())
        call.id = call_id or call.id
        call.name += self._counted(name)
        call.arguments += self._counted(arguments)

    def next_call(self, *, call_id: str | None = None, name: str = "", arguments: str = "") -> None:
        """Take in a tool call that comes whole."""
        self.add_call(len(self._calls), call_id=call_id, name=name, arguments=arguments)

    @property
    def thought(self) -> str:
        """The reasoning so far."""
        return "".join(self._thought)

    def finished(self) -> CreateResult:
        """The whole answer: tool calls win over text, which is then the thought unless there is one.

        Raises:
            ModelUnavailableError: the provider has not said why the model stopped: something is missing.
            ContentRefusedError: the model declined to answer.
        """
        if self.finish_reason is None:
            raise ModelUnavailableError("the stream ended before the answer was complete")
        text, refusal, thought = "".join(self._text), "".join(self._refusal), self.thought or None
        if refusal and not text and not self._calls:
            raise ContentRefusedError(f"the model declined to answer: {refusal}")
        if self._calls:
            calls = [_function_call(call) for _, call in sorted(self._calls.items())]
            return self._result("function_calls", calls, thought or text or None)
        if self.thinks_in_content and thought is None and (match := _THINKING.fullmatch(text)):
            thought, text = match["thought"].strip(), match["content"]
        return self._result(self.finish_reasons.get(self.finish_reason, "unknown"), text, thought)

    def _result(self, reason: FinishReasons, content: str | list[FunctionCall], thought: str | None) -> CreateResult:
        return CreateResult(
            finish_reason=reason,
            content=content,
            usage=self.usage,
            cached=False,
            logprobs=self.logprobs or None,
            thought=thought,
        )

    def _counted(self, text: str) -> str:
        self._length += len(text)
        if self._length > LONGEST_ANSWER:
            raise AnswerTooLongError(f"the answer has more than {LONGEST_ANSWER:,} characters")
        return text


def usage_of(
    prompt_tokens: int | None, completion_tokens: int | None, cached_tokens: int | None = None
) -> RequestUsage:
    """The tokens paid, of which `cached_tokens` of the prompt came from the provider's own cache; None means 0."""
    prompt, completion, cached = prompt_tokens or 0, completion_tokens or 0, cached_tokens or 0
    if cached:
        return CachedRequestUsage(prompt_tokens=prompt, completion_tokens=completion, cached_tokens=cached)
    return RequestUsage(prompt_tokens=prompt, completion_tokens=completion)


def normalize_name(name: str) -> str:
    """A function name a model made up, as one that providers accept."""
    return _NOT_IN_NAME.sub("_", name)[:64]


def _function_call(call: CallDraft) -> FunctionCall:
    made_up = f"call_{uuid.uuid4().hex[:24]}"  # part of a recorded answer: a later attempt reads the same one
    return FunctionCall(id=call.id or made_up, arguments=call.arguments, name=normalize_name(call.name))
