"""Asking a model for an answer of a given form, until it has that form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from agentopic.core.models import AssistantMessage, ChatCompletionClient, LLMMessage, UserMessage
from agentopic.errors import ModelError

Answer = TypeVar("Answer", bound=BaseModel)

_ATTEMPTS = 3


async def ask(
    model: ChatCompletionClient, messages: Sequence[LLMMessage], form: type[Answer], check: Callable[[Answer], str]
) -> Answer:
    """Return the model's answer; one that does not fit is sent back to it with what is wrong.

    `check` returns what is wrong with an answer of the right form, nothing when it is right.

    Raises:
        ModelError: no answer was right.
    """
    conversation = list(messages)
    complaint = ""
    for _ in range(_ATTEMPTS):
        result = await model.create(conversation, json_output=form)
        text = result.content if isinstance(result.content, str) else ""
        try:
            answer = form.model_validate_json(text)
        except ValidationError as exc:
            complaint = f"The answer does not have the form asked for: {exc}"
        else:
            complaint = check(answer)
            if not complaint:
                return answer
        conversation = [
            *conversation,
            AssistantMessage(content=text, source="assistant"),
            UserMessage(content=complaint, source="user"),
        ]
    raise ModelError(f"the model gave no usable answer: {complaint}")
