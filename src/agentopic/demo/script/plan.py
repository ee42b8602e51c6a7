"""Plans: the periods and measures that a question names, found in its words."""

from __future__ import annotations

import json
import re
from calendar import month_name
from collections.abc import Iterator

from agentopic.demo.calendar import SEASONS, Period, month, season, year
from agentopic.demo.measures import MEANINGS, Measure

_MONTHS = "|".join(month_name[1:])
_PERIOD = re.compile(
    rf"\b(?P<month>{_MONTHS}) (?P<of>\d{{4}})\b"
    rf"|\b(?P<season>{'|'.join(SEASONS)}) (?P<begins>\d{{4}})(?:/\d{{4}})?"
    r"|\b(?P<year>\d{4})\b"
)


def plan_for(asked: str) -> str:
    """Return the plan for a question as JSON: one part per period, each with all measures that are named."""
    question = asked.partition(":")[2]
    measures = [name for name, _ in sorted(_measures(question), key=lambda found: found[1])]
    parts = [
        {
            "label": period.label,
            "start": period.start.isoformat(),
            "end": period.end.isoformat(),
            "measures": measures,
        }
        for period in _periods(question)
    ]
    return json.dumps({"parts": parts})


def _periods(question: str) -> Iterator[Period]:
    for found in _PERIOD.finditer(question):
        if found["month"]:
            yield month(int(found["of"]), list(month_name).index(found["month"]))
        elif found["season"]:
            yield season(found["season"], int(found["begins"]))
        else:
            yield year(int(found["year"]))


def _measures(question: str) -> Iterator[tuple[Measure, int]]:
    """Yield the measures a question names, each with the place of its words."""
    for name, meaning in MEANINGS.items():
        place = question.find(meaning.words)
        if place >= 0:
            yield name, place
