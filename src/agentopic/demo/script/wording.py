"""Wordings: sentences around the marks of the numbers, compared by their values."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

_LINE = re.compile(r"^(\[n\d+\]) (.+), ([^,]+): (-?[\d.]+) (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """One number as the editor states it."""

    mark: str
    words: str
    label: str
    value: float
    unit: str


def wording_for(asked: str) -> str:
    """Return a report on the numbers that a request lists, as JSON: one sentence or two per measure."""
    numbers = [
        Stated(mark=mark, words=words, label=label, value=float(value), unit=unit)
        for mark, words, label, value, unit in _LINE.findall(asked)
    ]
    measures = dict.fromkeys(number.words for number in numbers)
    sentences = [_sentences([number for number in numbers if number.words == words]) for words in measures]
    return json.dumps({"text": " ".join(sentences)})


def _sentences(numbers: list[Stated]) -> str:
    words = numbers[0].words
    stated = ", ".join(f"{number.mark} {number.unit} in {number.label}" for number in numbers)
    return f"{words[0].upper()}{words[1:]}: {stated}.{_comparison(numbers)}"


def _comparison(numbers: list[Stated]) -> str:
    highest = max(number.value for number in numbers)
    top = [number.label for number in numbers if number.value == highest]
    if len(numbers) == 1:
        return ""
    if len(top) == len(numbers):
        return " There is no difference."
    return f" {' and '.join(top)} had the most." if numbers[0].unit in {"days", "mm"} else f" Highest: {top[0]}."
