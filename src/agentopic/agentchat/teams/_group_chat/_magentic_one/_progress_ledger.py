"""`ProgressLedger`: the model's view of where the work stands, and how it is asked for."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel, ValidationError

from agentopic.agentchat import TRACE_LOGGER_NAME
from agentopic.core import CancellationToken
from agentopic.core.models import ChatCompletionClient, LLMMessage
from agentopic.core.utils import extract_json_from_str

_logger: Final = logging.getLogger(TRACE_LOGGER_NAME)
_ATTEMPTS: Final = 10


class TextEntry(BaseModel):
    """A text, and why."""

    reason: str
    answer: str


class FlagEntry(BaseModel):
    """Yes or no, and why."""

    reason: str
    answer: bool


class ProgressLedger(BaseModel):
    """Where the work stands."""

    is_request_satisfied: FlagEntry
    is_in_loop: FlagEntry
    is_progress_being_made: FlagEntry
    next_speaker: TextEntry
    instruction_or_question: TextEntry


async def ask_progress(
    model_client: ChatCompletionClient,
    conversation: Sequence[LLMMessage],
    names: Sequence[str],
    token: CancellationToken,
) -> ProgressLedger:
    """Ask up to ten times, until the answer is a ledger that names who goes on, or says that nothing is left to do.

    Raises:
        ValueError: no answer was one.
    """
    info = model_client.model_info
    form = ProgressLedger if info.get("structured_output") else info["json_output"]
    for _ in range(_ATTEMPTS):
        answer = await model_client.create(conversation, json_output=form or None, cancellation_token=token)
        ledger = _parsed(answer.content if isinstance(answer.content, str) else "")
        if ledger is not None and len(names) == 1:
            ledger.next_speaker.answer = names[0]  # nobody else could be meant
        if ledger is not None and (ledger.is_request_satisfied.answer or ledger.next_speaker.answer in names):
            return ledger
    raise ValueError("Failed to parse ledger information after multiple retries.")


def _parsed(text: str) -> ProgressLedger | None:
    try:
        found = extract_json_from_str(text)
    except ValueError as exc:
        _logger.info("The ledger is no JSON: %s", exc)
        return None
    for item in found:
        try:
            return ProgressLedger.model_validate(item)
        except ValidationError as exc:
            _logger.info("The ledger lacks what is asked for: %s", exc)
    return None
