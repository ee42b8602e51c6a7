"""Questions: waiting steps that a person answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from agentopic.core import AgentId
from agentopic.engine.waits import Wait
from agentopic.errors import PayloadError, QuestionTimeoutError


def question_id(turn: bytes, step: bytes) -> str:
    """Return the id by which people name a question."""
    return f"{turn.hex()}.{step.hex()}"


def question_note(
    agent: AgentId, run: str, text: str, *, choices: Sequence[str] | None, details: Any, asked: str
) -> bytes:
    """Return what is stored with a question, a JSON object: run, agent, text, choices, details, asked (time).

    Raises:
        PayloadError: the details are not JSON.
    """
    note = {
        "run": run,
        "agent": [agent.type, agent.key],
        "text": text,
        "choices": None if choices is None else list(choices),
        "details": details,
        "asked": asked,
    }
    try:
        return json.dumps(note, ensure_ascii=False).encode("utf-8", "surrogatepass")
    except (TypeError, ValueError) as exc:
        raise PayloadError(f"the details of a question must be JSON: {exc}") from exc


def question_input(text: str, *, choices: Sequence[str] | None, details: Any) -> bytes:
    """Return what makes a question the same one on a later attempt."""
    return json.dumps([text, choices and list(choices), details], sort_keys=True).encode()


def encode_answer(answer: Any) -> bytes:
    """Return an answer as the journal keeps it."""
    return json.dumps(answer, ensure_ascii=False).encode("utf-8", "surrogatepass")


async def until_answered(wait: Wait) -> Any:
    """Wait for ever, or until the question is due: an answer comes through the journal.

    Raises:
        QuestionTimeoutError: it is due.
    """
    seconds = wait.remaining_seconds
    if seconds is None:
        await asyncio.get_running_loop().create_future()
    else:
        await asyncio.sleep(seconds)
        raise QuestionTimeoutError("nobody has answered the question in time")
