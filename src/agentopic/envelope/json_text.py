"""Reads the members of a JSON event without losing their text: data must come out as it went in."""

from __future__ import annotations

import json
import re
from typing import Any, Final, NamedTuple

from agentopic.errors import EnvelopeError

MAX_DEPTH: Final = 100
"""Objects and arrays inside one another, at most; checked before anything is parsed."""

BLANK: Final = " \t\r\n"
"""The white space of JSON."""

_BLANKS: Final = re.compile(f"[{BLANK}]*")
# Possessive, and content to skip even when a string has no end: hostile text must not make it backtrack.
_STRUCTURE: Final = re.compile(r'"(?:[^"\\]++|\\.?)*+"?|[\[{]|[\]}]', re.DOTALL)


class Member(NamedTuple):
    """One member of a JSON object."""

    value: Any
    """The parsed value."""
    text: str
    """The value exactly as it was written."""


def decode_text(raw: bytes) -> str:
    """Return the text of a JSON document that is not nested too deeply.

    Raises:
        EnvelopeError: not UTF-8, or more than `MAX_DEPTH` levels.
    """
    try:
        text = raw.decode()
    except UnicodeDecodeError as exc:
        raise EnvelopeError(f"event is not UTF-8 at byte {exc.start}: JSON events must be") from exc
    if not _is_shallow(text):
        raise EnvelopeError(f"event nests more than {MAX_DEPTH} levels: flatten its data or send it as bytes")
    return text


def is_json_text(text: str) -> bool:
    """Tell whether the text is one strict JSON value (RFC 8259) that is not nested too deeply."""
    if not _is_shallow(text):
        return False
    try:
        _value, end = _DECODER.raw_decode(text, _skip(text, 0))
    except ValueError:
        return False
    return _skip(text, end) == len(text)


def scan_event(text: str) -> dict[str, Member]:
    """Return the members of the one JSON object that `text` is.

    Raises:
        EnvelopeError: not a JSON object, or a member occurs twice.
    """
    members, end = _scan_object(text, _skip(text, 0))
    _expect_end(text, end)
    return members


def scan_batch(text: str) -> list[dict[str, Member]]:
    """Return the members of each object in the one JSON array that `text` is.

    Raises:
        EnvelopeError: not a JSON array of objects, or a member occurs twice in one of them.
    """
    position = _skip(text, _expect(text, _skip(text, 0), "["))
    events: list[dict[str, Member]] = []
    if text[position : position + 1] == "]":
        _expect_end(text, position + 1)
        return events
    while True:
        members, position = _scan_object(text, position)
        events.append(members)
        position = _skip(text, position)
        if text[position : position + 1] != ",":
            break
        position = _skip(text, position + 1)
    _expect_end(text, _expect(text, position, "]"))
    return events


def _scan_object(text: str, position: int) -> tuple[dict[str, Member], int]:
    position = _skip(text, _expect(text, position, "{"))
    members: dict[str, Member] = {}
    if text[position : position + 1] == "}":
        return members, position + 1
    while True:
        position = _scan_member(text, position, members)
        if text[position : position + 1] != ",":
            return members, _expect(text, position, "}")
        position = _skip(text, position + 1)


def _scan_member(text: str, position: int, members: dict[str, Member]) -> int:
    if text[position : position + 1] != '"':
        raise _malformed(text, position, "a member name")
    name, position = _parse(text, position)
    position = _skip(text, _expect(text, _skip(text, position), ":"))
    value, end = _parse(text, position)
    if name in members:
        raise EnvelopeError(f"member {name[:64]!r} occurs twice: an event must be unambiguous")
    members[name] = Member(value, text[position:end])
    return _skip(text, end)


def _parse(text: str, position: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, position)
    except ValueError as exc:
        raise EnvelopeError(f"event is not JSON: {exc}") from exc


def _is_shallow(text: str) -> bool:
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return True
    depth = 0
    for match in _STRUCTURE.finditer(text):
        mark = match[0]
        if mark in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                return False
        elif mark in "]}":
            depth -= 1
    return True


def _skip(text: str, position: int) -> int:
    match = _BLANKS.match(text, position)
    return position if match is None else match.end()


def _expect(text: str, position: int, char: str) -> int:
    if text[position : position + 1] != char:
        raise _malformed(text, position, repr(char))
    return position + 1


def _expect_end(text: str, position: int) -> None:
    if _skip(text, position) != len(text):
        raise _malformed(text, position, "the end")


def _malformed(text: str, position: int, expected: str) -> EnvelopeError:
    found = text[position : position + 16]
    return EnvelopeError(f"event is not a JSON event: expected {expected} at {position}, found {found!r}")


def _integer(digits: str) -> int | float:
    # No attribute has so many digits, and Python refuses to convert thousands of them.
    return int(digits) if len(digits) <= 20 else float("inf")


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not a JSON value")


_DECODER: Final = json.JSONDecoder(parse_int=_integer, parse_constant=_refuse_constant)
