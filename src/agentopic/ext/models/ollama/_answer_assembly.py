"""Puts answers together: whole ones, and streamed ones from their parts."""

from __future__ import annotations

import json

from ollama import ChatResponse

from agentopic.core.models import CreateResult, FinishReasons
from agentopic.errors import ModelUnavailableError
from agentopic.ext.models._client import AnswerDraft, usage_of

_FINISH_REASONS: dict[str, FinishReasons] = {"stop": "stop", "length": "length"}
_NOT_ANSWERED = frozenset({"load", "unload"})


class AnswerAssembly:
    """Collects parts; `add` gives the new text, `result` the whole answer."""

    def __init__(self, *, thinks_in_content: bool) -> None:
        self._draft = AnswerDraft(finish_reasons=_FINISH_REASONS, thinks_in_content=thinks_in_content)

    def add(self, event: ChatResponse) -> list[str]:
        """Take a part in, or a whole answer; the text it adds, if any.

        Raises:
            ModelUnavailableError: the server has loaded or unloaded the model and answered nothing.
        """
        message = event.message
        self._draft.add_thought(message.thinking or "")
        for call in message.tool_calls or ():
            arguments = json.dumps(dict(call.function.arguments))
            self._draft.next_call(name=call.function.name, arguments=arguments)
        if event.done:
            self._end(event)
        text = self._draft.add_text(message.content or "")
        return [text] if text else []

    def result(self) -> CreateResult:
        """The whole answer; ModelUnavailableError when the server has not said that it is done."""
        return self._draft.finished()

    def _end(self, event: ChatResponse) -> None:
        if event.done_reason in _NOT_ANSWERED:
            raise ModelUnavailableError(f"the server has only done this with the model: {event.done_reason}")
        self._draft.finish_reason = event.done_reason or ""
        self._draft.usage = usage_of(event.prompt_eval_count, event.eval_count)
