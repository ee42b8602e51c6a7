"""The independent computation: what every number of a report must be, from the file, by code no model wrote."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from agentopic.demo.dataset import data_file
from agentopic.demo.measures import Measure, shown
from agentopic.demo.questions import Question

# Values are rounded to two decimals by whoever computes them.
_TOLERANCE = Decimal("0.00501")
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One line of the file."""

    date: dt.date
    precipitation: Decimal
    temp_max: Decimal
    temp_min: Decimal
    wind: Decimal
    weather: str


def expected(measure: Measure, start: dt.date, end: dt.date) -> Decimal:
    """Return a measure over the days from `start` to `end`, both included, unrounded."""
    return _COMPUTED[measure]([day for day in _days() if start <= day.date <= end])


def faults(question: Question, report: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a report on a question, one line per fault; nothing when it is right."""
    wanted = {(measure, period.start, period.end) for period in question.periods for measure in question.measures}
    numbers: list[Mapping[str, Any]] = report["numbers"]
    given = {_place(number): number for number in numbers}
    lines = [f"{measure} from {start} to {end} is missing" for measure, start, end in sorted(wanted - given.keys())]
    lines += [f"{place[0]} from {place[1]} to {place[2]}: {fault}" for place, fault in _wrong(given)]
    return [*lines, *_strange_numbers(question, report["text"], numbers)]


def _place(number: Mapping[str, Any]) -> tuple[Measure, dt.date, dt.date]:
    return number["measure"], dt.date.fromisoformat(number["start"]), dt.date.fromisoformat(number["end"])


def _wrong(
    given: Mapping[tuple[Measure, dt.date, dt.date], Mapping[str, Any]],
) -> Iterable[tuple[tuple[Measure, dt.date, dt.date], str]]:
    for place, number in given.items():
        right = expected(*place)
        if abs(Decimal(str(number["value"])) - right) > _TOLERANCE:
            yield place, f"{number['value']} was reported, {right:.2f} is right"


def _strange_numbers(question: Question, text: str, numbers: Sequence[Mapping[str, Any]]) -> list[str]:
    """The words of a report carry its numbers and those of the question, and no others."""
    known = {shown(float(number["value"])) for number in numbers}
    known.update(_NUMBER.findall(" ".join([question.text, *(number["label"] for number in numbers)])))
    missing = [shown(float(number["value"])) for number in numbers if shown(float(number["value"])) not in text]
    strange = [each for each in _NUMBER.findall(text) if each not in known]
    return [f"the text lacks {each}" for each in missing] + [f"the text says {each}" for each in strange]


@cache
def _days() -> tuple[Day, ...]:
    lines = data_file().read_text().splitlines()[1:]
    return tuple(_day(line.split(",")) for line in lines)


def _day(cells: list[str]) -> Day:
    date, precipitation, temp_max, temp_min, wind, weather = cells
    return Day(
        date=dt.date(*(int(part) for part in date.split("/"))),
        precipitation=Decimal(precipitation),
        temp_max=Decimal(temp_max),
        temp_min=Decimal(temp_min),
        wind=Decimal(wind),
        weather=weather,
    )


def _mean(values: list[Decimal]) -> Decimal:
    return sum(values, Decimal(0)) / len(values)


def _longest_dry_spell(days: list[Day]) -> Decimal:
    wet = [number for number, day in enumerate(days) if day.precipitation]
    return Decimal(max(right - left - 1 for left, right in zip([-1, *wet], [*wet, len(days)], strict=True)))


def _count(holds: Callable[[Day], bool]) -> Callable[[list[Day]], Decimal]:
    return lambda days: Decimal(len([day for day in days if holds(day)]))


_COMPUTED: dict[Measure, Callable[[list[Day]], Decimal]] = {
    "mean_temp_max": lambda days: _mean([day.temp_max for day in days]),
    "mean_temp_min": lambda days: _mean([day.temp_min for day in days]),
    "highest_temp": lambda days: max(day.temp_max for day in days),
    "lowest_temp": lambda days: min(day.temp_min for day in days),
    "total_precipitation": lambda days: sum((day.precipitation for day in days), Decimal(0)),
    "wettest_day": lambda days: max(day.precipitation for day in days),
    "rainy_days": _count(lambda day: day.precipitation > 0),
    "longest_dry_spell": _longest_dry_spell,
    "frost_days": _count(lambda day: day.temp_min < 0),
    "warm_days": _count(lambda day: day.temp_max >= 25),
    "foggy_days": _count(lambda day: day.weather == "fog"),
    "sunny_days": _count(lambda day: day.weather == "sun"),
    "mean_wind": lambda days: _mean([day.wind for day in days]),
    "strongest_wind": lambda days: max(day.wind for day in days),
}
