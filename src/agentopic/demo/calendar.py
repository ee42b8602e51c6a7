"""Periods in words: months, seasons and years, and the days they cover."""

from __future__ import annotations

import datetime as dt
from calendar import month_name, monthrange
from dataclasses import dataclass
from typing import Final

SEASONS: Final = {"spring": 3, "summer": 6, "autumn": 9, "winter": 12}
"""The month each season begins with; it has three."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A stretch of whole days with a name; both ends belong to it."""

    label: str
    start: dt.date
    end: dt.date


def month(year: int, number: int) -> Period:
    """Return a month, such as July 2013."""
    return Period(label=f"{month_name[number]} {year}", start=dt.date(year, number, 1), end=_last_day(year, number))


def season(name: str, year: int) -> Period:
    """Return a season that begins in a year; winter reaches into the next one."""
    first = SEASONS[name]
    last = (first + 1) % 12 + 1
    ends_in = year + (first == 12)
    label = f"winter {year}/{ends_in}" if first == 12 else f"{name} {year}"
    return Period(label=label, start=dt.date(year, first, 1), end=_last_day(ends_in, last))


def year(number: int) -> Period:
    """Return a calendar year."""
    return Period(label=str(number), start=dt.date(number, 1, 1), end=dt.date(number, 12, 31))


def _last_day(year_number: int, month_number: int) -> dt.date:
    return dt.date(year_number, month_number, monthrange(year_number, month_number)[1])
