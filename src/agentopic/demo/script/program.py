"""Programs: Python that computes what a part asks for, put together from pieces, one per measure."""

from __future__ import annotations

import re

_DAYS = re.compile(r"Days: (\d{4})-(\d\d)-(\d\d) to (\d{4})-(\d\d)-(\d\d)")
_MEASURE = re.compile(r"^- (\w+): (.+)$", re.MULTILINE)

_HEAD = """\
import csv
import json

with open("seattle-weather.csv", newline="") as file:
    days = [day for day in csv.DictReader(file) if "{first}" <= day["date"] <= "{last}"]

def column(name):
    return [float(day[name]) for day in days]

def longest_run(flags):
    best = current = 0
    for flag in flags:
        current = current + 1 if flag else 0
        best = max(best, current)
    return best

result = {{}}
"""
_AGGREGATES = (
    (re.compile(r"mean of (\w+)"), "sum(column({0!r})) / len(days)"),
    (re.compile(r"sum of (\w+)"), "sum(column({0!r}))"),
    (re.compile(r"largest number of days in a row with (\w+) (\S+)"), "longest_run(x == {1} for x in column({0!r}))"),
    (re.compile(r"largest (\w+)"), "max(column({0!r}))"),
    (re.compile(r"smallest (\w+)"), "min(column({0!r}))"),
    (re.compile(r"number of days with (\w+) above (\S+)"), "sum(x > {1} for x in column({0!r}))"),
    (re.compile(r"number of days with (\w+) below (\S+)"), "sum(x < {1} for x in column({0!r}))"),
    (re.compile(r"number of days with (\w+) of (\S+) or more"), "sum(x >= {1} for x in column({0!r}))"),
    (re.compile(r"number of days whose (\w+) is (\w+)"), "sum(day[{0!r}] == {1!r} for day in days)"),
)


def program_for(asked: str) -> str:
    """Return a program for the days and measures that a request names."""
    found = _DAYS.search(asked)
    first, last = ("/".join(found.groups()[:3]), "/".join(found.groups()[3:])) if found else ("", "")
    lines = [f"result[{name!r}] = round({_expression(meaning)}, 2)" for name, meaning in _MEASURE.findall(asked)]
    return _HEAD.format(first=first, last=last) + "\n".join([*lines, "print(json.dumps(result))"]) + "\n"


def _expression(definition: str) -> str:
    for pattern, expression in _AGGREGATES:
        found = pattern.fullmatch(definition)
        if found is not None:
            return expression.format(*found.groups())
    # A definition the script does not know: the program fails where it runs, and the analyst is told.
    return f"int({definition!r})"
