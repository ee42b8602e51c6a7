"""Puts the chunks of a streamed answer together."""

from __future__ import annotations

from openai.types.chat import ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import Choice

from agentopic.core.models import CreateResult
from agentopic.ext.models._client import AnswerDraft
from agentopic.ext.models.openai._result_conversion import FINISH_REASONS, reasoning_of, to_logprobs, to_usage


class StreamAssembly:
    """Collects chunks; `add` gives the new text, `result` the whole answer."""

    def __init__(self, *, thinks_in_content: bool) -> None:
        self._draft = AnswerDraft(finish_reasons=FINISH_REASONS, thinks_in_content=thinks_in_content)
        self._thinking = False

    def add(self, event: ChatCompletionChunk) -> list[str]:
        """Take a chunk in; the pieces it adds to what is shown, none for most other chunks."""
        if event.usage is not None:
            self._draft.usage = to_usage(event.usage)
        return self._add_choice(event.choices[0]) if event.choices else []

    def result(self) -> CreateResult:
        """The whole answer; raises as AnswerDraft.finished does."""
        return self._draft.finished()

    def _add_choice(self, choice: Choice) -> list[str]:
        delta = choice.delta
        self._draft.finish_reason = choice.finish_reason or self._draft.finish_reason
        self._draft.logprobs += to_logprobs(choice.logprobs) or ()
        self._draft.add_refusal(delta.refusal or "")
        for call in delta.tool_calls or ():
            function = call.function
            self._draft.add_call(
                call.index,
                call_id=call.id,
                name=(function.name or "") if function else "",
                arguments=(function.arguments or "") if function else "",
            )
        thought = self._draft.add_thought(reasoning_of(delta) or "")
        text = self._draft.add_text(delta.content or "")
        return self._shown(thought, text, ended=choice.finish_reason is not None)

    def _shown(self, thought: str, text: str, *, ended: bool) -> list[str]:
        """A thought that comes apart from the text is shown between tags."""
        shown: list[str] = []
        if thought:
            shown.append(thought if self._thinking else f"<think>{thought}")
            self._thinking = True
        elif self._thinking and (text or ended):
            shown.append("</think>")
            self._thinking = False
        return [*shown, text] if text else shown
