"""Puts the chunks of a streamed answer together."""

from __future__ import annotations

from dataclasses import dataclass, field

from openai.types.chat import ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import Choice, ChoiceDeltaToolCall

from agentopic.core import FunctionCall
from agentopic.core.models import ChatCompletionTokenLogprob, CreateResult, RequestUsage
from agentopic.errors import ModelUnavailableError
from agentopic.ext.models.openai._result_conversion import (
    make_result,
    reasoning_of,
    to_logprobs,
    to_usage,
)
from agentopic.ext.models.openai._tool_conversion import normalize_name


@dataclass(slots=True)
class _Call:
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(slots=True)
class StreamAssembly:
    """Collects chunks; `add` gives the new text, `result` the whole answer."""

    _text: list[str] = field(default_factory=list[str])
    _thought: list[str] = field(default_factory=list[str])
    _refusal: list[str] = field(default_factory=list[str])
    _calls: dict[int, _Call] = field(default_factory=dict[int, _Call])
    _logprobs: list[ChatCompletionTokenLogprob] = field(default_factory=list[ChatCompletionTokenLogprob])
    _finish_reason: str | None = None
    _usage: RequestUsage = field(default_factory=lambda: RequestUsage(prompt_tokens=0, completion_tokens=0))

    def add(self, chunk: ChatCompletionChunk) -> str:
        """Take a chunk in; the text it adds to the answer, empty for most other chunks."""
        if chunk.usage is not None:
            self._usage = to_usage(chunk.usage)
        return self._add_choice(chunk.choices[0]) if chunk.choices else ""

    def result(self, *, thinks_in_content: bool) -> CreateResult:
        """The whole answer.

        Raises:
            ModelUnavailableError: the stream ended before the answer did.
            ModelRefusedError: the model declined to answer.
        """
        if self._finish_reason is None:
            raise ModelUnavailableError("the stream ended before the answer was complete")
        return make_result(
            text="".join(self._text),
            calls=[
                FunctionCall(id=call.id, arguments=call.arguments, name=normalize_name(call.name))
                for _, call in sorted(self._calls.items())
            ],
            refusal="".join(self._refusal),
            thought="".join(self._thought) or None,
            finish_reason=self._finish_reason,
            usage=self._usage,
            logprobs=self._logprobs or None,
            thinks_in_content=thinks_in_content,
        )

    def _add_choice(self, choice: Choice) -> str:
        delta = choice.delta
        self._finish_reason = choice.finish_reason or self._finish_reason
        self._logprobs += to_logprobs(choice.logprobs) or ()
        self._thought.append(reasoning_of(delta) or "")
        self._refusal.append(delta.refusal or "")
        for call in delta.tool_calls or ():
            self._add_call(call)
        text = delta.content or ""
        self._text.append(text)
        return text

    def _add_call(self, delta: ChoiceDeltaToolCall) -> None:
        call = self._calls.setdefault(delta.index, _Call())
        call.id = delta.id or call.id
        if delta.function is not None:
            call.name += delta.function.name or ""
            call.arguments += delta.function.arguments or ""
