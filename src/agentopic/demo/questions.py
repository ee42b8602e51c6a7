"""The questions the demo asks, each with the numbers its answer needs; only the publisher's side knows those."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from agentopic.demo.calendar import Period, month, season, year
from agentopic.demo.dataset import FIRST_YEAR, LAST_YEAR
from agentopic.demo.measures import MEANINGS, Measure

WARM: Final[tuple[Measure, ...]] = (
    "mean_temp_max",
    "rainy_days",
    "highest_temp",
    "sunny_days",
    "longest_dry_spell",
    "warm_days",
    "total_precipitation",
)
"""What people ask about the warm half of the year."""
COLD: Final[tuple[Measure, ...]] = (
    "frost_days",
    "lowest_temp",
    "total_precipitation",
    "strongest_wind",
    "foggy_days",
    "mean_temp_min",
    "wettest_day",
)
"""What people ask about the cold half of the year."""
_YEARS = range(FIRST_YEAR, LAST_YEAR + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question and what must be computed to answer it: every measure over every period."""

    task: str
    text: str
    periods: tuple[Period, ...]
    measures: tuple[Measure, ...]


def questions(count: int) -> list[Question]:
    """Return `count` different questions, always the same ones.

    Raises:
        ValueError: the data set is not asked that many questions.
    """
    asked = list(islice(_all(), count))
    if len(asked) < count:
        raise ValueError(f"there are {len(asked)} questions, not {count}")
    return asked


def _all() -> Iterator[Question]:
    kinds = [_months(), _seasons(), _years()]
    number = 0
    while kinds:
        for kind in list(kinds):
            found = next(kind, None)
            if found is None:
                kinds.remove(kind)
                continue
            number += 1
            text, periods, measures = found
            yield Question(task=f"task-{number:03}", text=text, periods=periods, measures=measures)


_Asked = tuple[str, tuple[Period, ...], tuple[Measure, ...]]


def _months() -> Iterator[_Asked]:
    """The same month of two years in a row, with two measures."""
    for turn in range(len(WARM)):
        for number in (7, 1, 10, 4, 12, 6, 3, 9, 2, 8, 5, 11):
            measures = _pair(WARM if 4 <= number <= 9 else COLD, number, turn)
            first = FIRST_YEAR + (number + turn) % (len(_YEARS) - 1)
            periods = (month(first, number), month(first + 1, number))
            one, two = (period.label for period in periods)
            yield f"How did {one} compare with {two}: {_words(measures)}?", periods, measures


def _seasons() -> Iterator[_Asked]:
    """Three seasons of one kind, with one measure or two."""
    for turn in range(len(WARM)):
        for number, name in enumerate(("summer", "winter", "spring", "autumn")):
            measures = _pair(COLD if name == "winter" else WARM, number, turn)[: 1 + (number + turn) % 2]
            periods = tuple(season(name, each) for each in (2012, 2013, 2014))
            listed = _listed([period.label for period in periods])
            yield f"How did {listed} differ in {_words(measures)}?", periods, measures


def _years() -> Iterator[_Asked]:
    """Two whole years, with two measures."""
    for turn in range(len(WARM)):
        for first in _YEARS:
            for second in range(first + 1, LAST_YEAR + 1):
                measures = _pair((*COLD, *WARM), first + second, turn)
                periods = (year(first), year(second))
                yield f"How did the weather change from {first} to {second}: {_words(measures)}?", periods, measures


def _pair(measures: tuple[Measure, ...], start: int, turn: int) -> tuple[Measure, Measure]:
    """Two different measures; another turn with the same start gives another pair."""
    first, distance = start + turn, 1 + turn % (len(measures) - 1)
    return measures[first % len(measures)], measures[(first + distance) % len(measures)]


def _words(measures: tuple[Measure, ...]) -> str:
    return _listed([MEANINGS[measure].words for measure in measures])


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
