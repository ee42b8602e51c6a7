"""Dead letters as people and programs see them: bounded, and without secrets."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from agentopic.concealment import redacted
from agentopic.engine.deadletters import PREFIX, original_headers
from agentopic.telemetry.redaction import redact

if TYPE_CHECKING:
    from agentopic.engine.letters import LetterState
    from agentopic.ports.transport import Record

_PARSED_BYTES: Final = 1024 * 1024
_HEADER_CHARS: Final = 2000
_SHORT: Final = 80


def letter_row(state: LetterState) -> dict[str, Any]:
    """Return what is known of a letter without its bytes."""
    letter, event, settlement = state.letter, state.letter.event, state.settlement
    row: dict[str, Any] = {
        "letter": letter.id,
        "agent_type": letter.agent_type,
        "agent": None if letter.agent is None else str(letter.agent),
        "status": state.status,
        "time": None if letter.time is None else letter.time.isoformat(timespec="seconds"),
        "first": None if letter.first is None else letter.first.isoformat(timespec="seconds"),
        "reason": letter.reason,
        "message": letter.message,
        "attempts": letter.attempts,
        "redrive": None if event is None else event.redrive,
        "event_type": None if event is None else event.type,
        "source": None if event is None else event.source,
        "id": None if event is None else event.id,
        "subject": None if event is None else event.subject,
        "run": None if event is None else event.run,
        "origin": f"{letter.origin}[{letter.origin_partition}]@{letter.origin_offset}",
        "fault": letter.fault or None,
    }
    if settlement is not None:
        row["settled"] = settlement.model_dump(mode="json", exclude={"partition", "offset"}, exclude_none=True)
    return row


def shortened(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row for a table: long texts cut, who settled it in one word."""
    settled = row.get("settled")
    by = {"by": settled["actor"], "why": settled.get("why")} if settled else {}
    return {name: _cut(value, _SHORT) for name, value in {**row, **by}.items()}


def whole_letter(record: Record, state: LetterState, max_bytes: int) -> dict[str, Any]:
    """Return a letter with its key, headers and value as text, Base64 where they are none; at most so much of it."""
    original = original_headers(record.headers)
    facts = [(name, value) for name, value in record.headers if name.startswith(PREFIX)]
    return {
        **letter_row(state),
        "facts": {name.removeprefix(PREFIX): _header(name, value) for name, value in facts},
        "key": None if record.key is None else _text(record.key, _HEADER_CHARS),
        "headers": [[name, _header(name, value)] for name, value in original],
        "value": None if record.value is None else _value(record.value, max_bytes),
        "value_bytes": None if record.value is None else len(record.value),
    }


def field_rows(whole: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a letter field by field, for a table."""
    for name, value in whole.items():
        if name == "headers":
            yield from ({"field": f"header {header}", "value": text} for header, text in value)
        elif name == "facts":
            yield from ({"field": PREFIX + fact, "value": text} for fact, text in value.items())
        elif value is not None:
            yield {"field": name, "value": value}


def _header(name: str, value: bytes) -> Any:
    return redact(None, "", {name: _text(value, _HEADER_CHARS)})[name]


def _value(raw: bytes, max_bytes: int) -> str:
    text = _text(raw, max_bytes)
    if len(raw) <= _PARSED_BYTES:
        try:
            # Names tell what is a secret; only whole JSON has them.
            parsed = json.loads(raw)
        except ValueError:
            return _cut(text, max_bytes)
        text = redacted(json.dumps(redact(None, "", {"value": parsed})["value"], ensure_ascii=False))
    return _cut(text, max_bytes)


def _text(raw: bytes, limit: int) -> str:
    """Return bytes as text without secrets, or as Base64 when they are none."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(raw[:limit]).decode()
    return redacted(text[: 4 * limit])


def _cut(value: Any, limit: int) -> Any:
    return value[:limit] + "…" if isinstance(value, str) and len(value) > limit else value


def counted(states: Sequence[LetterState]) -> list[dict[str, Any]]:
    """Return how many letters there are of each agent type, reason and status, with their first and last time."""
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for state in states:
        letter = state.letter
        kind = letter.agent_type, letter.reason, state.status
        when = None if letter.time is None else letter.time.isoformat(timespec="seconds")
        row = rows.setdefault(
            kind, {"agent_type": kind[0], "reason": kind[1], "status": kind[2], "letters": 0, "first": when}
        )
        row["letters"] += 1
        row["last"] = when
    return sorted(rows.values(), key=lambda row: (row["agent_type"], -row["letters"], row["reason"], row["status"]))
