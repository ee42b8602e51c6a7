"""Open questions: finding the one that is meant, and whether an answer is among its choices."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from agentopic.errors import ConfigError, UnknownQuestionError

if TYPE_CHECKING:
    from agentopic.engine.control_client import OpenQuestion

_SHORT: Final = 8
_NAME: Final = re.compile(r"([0-9a-f]{1,32})\.([0-9a-f]{1,32})")
_FREE_PART: Final = re.compile(r"<[^>]*>")


def short_id(question: OpenQuestion) -> str:
    """Return the beginnings of both parts of a question's id: enough for people to tell them apart."""
    turn, _, step = question.id.partition(".")
    return f"{turn[:_SHORT]}.{step[:_SHORT]}"


def question_row(question: OpenQuestion) -> dict[str, Any]:
    """Return a question for programs."""
    note = question.note
    return {
        "id": question.id,
        "agent": str(question.agent),
        "run": note.get("run"),
        "asked": datetime.fromtimestamp(question.asked_ms / 1000, UTC).isoformat(timespec="seconds"),
        "text": note.get("text"),
        "choices": note.get("choices"),
        "details": note.get("details"),
    }


def table_row(question: OpenQuestion) -> dict[str, Any]:
    """Return a question for people."""
    row = question_row(question)
    choices: Sequence[str] | None = row["choices"]
    return {**row, "id": short_id(question), "choices": None if choices is None else " | ".join(choices)}


def find_question(questions: Sequence[OpenQuestion], name: str) -> OpenQuestion:
    """Return the open question of an id; beginnings of both of its parts are enough where only one has them.

    Raises:
        UnknownQuestionError: none is open under this name: already answered, or never asked.
        ConfigError: the name is no question's, or fits several.
    """
    parts = _NAME.fullmatch(name)
    if parts is None:
        raise ConfigError(f"{name!r} is no id of a question: it has the form TURN.STEP, see `agentopic inbox list`")
    found = [each for each in questions if _begins(each.id, parts[1], parts[2])]
    if not found:
        raise UnknownQuestionError(
            f"question {name} is not open: already answered, ended with its turn, or never asked"
        )
    if len(found) > 1:
        raise ConfigError(f"{name!r} fits {len(found)} questions: give more of the id")
    return found[0]


def check_choice(question: OpenQuestion, value: Any) -> None:
    """Refuse an answer that is none of the choices; a `<part>` of a choice stands for any text.

    Raises:
        ConfigError: it is none of them.
    """
    choices: Sequence[str] | None = question.note.get("choices")
    if choices and not any(_is_choice(choice, value) for choice in choices):
        raise ConfigError(
            f"{json.dumps(value, ensure_ascii=False)} is none of the choices"
            f" ({', '.join(choices)}): give one of them, or --free to answer something else"
        )


def _is_choice(choice: Any, value: Any) -> bool:
    if not isinstance(choice, str) or not isinstance(value, str):
        return bool(choice == value)
    pattern = "".join(
        re.escape(fixed) + (".*" if free else "")
        for fixed, free in zip(_FREE_PART.split(choice), [*_FREE_PART.findall(choice), ""], strict=True)
    )
    return re.fullmatch(pattern, value, re.DOTALL) is not None


def _begins(question_id: str, turn: str, step: str) -> bool:
    its_turn, _, its_step = question_id.partition(".")
    return its_turn.startswith(turn) and its_step.startswith(step)
