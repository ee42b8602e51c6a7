"""The checker computes by itself and finds what is wrong with a report."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from agentopic.demo.calendar import month
from agentopic.demo.check import expected, faults
from agentopic.demo.questions import Question

QUESTION = Question(
    task="t",
    text="How did January 2012 compare with January 2013: days of frost?",
    periods=(month(2012, 1), month(2013, 1)),
    measures=("frost_days",),
)


def number(year: int, value: float) -> dict[str, Any]:
    return {
        "measure": "frost_days",
        "label": f"January {year}",
        "start": f"{year}-01-01",
        "end": f"{year}-01-31",
        "value": value,
        "unit": "days",
    }


@pytest.fixture
def report() -> dict[str, Any]:
    first, second = (int(expected("frost_days", each.start, each.end)) for each in QUESTION.periods)
    text = f"Days of frost: {first} in January 2012, {second} in January 2013."
    return {"text": text, "numbers": [number(2012, first), number(2013, second)]}


def test_numbers_known_from_the_file_are_computed() -> None:
    first_week = dt.date(2012, 1, 1), dt.date(2012, 1, 7)

    assert expected("total_precipitation", *first_week) == Decimal("35.8")
    assert expected("highest_temp", *first_week) == Decimal("12.8")
    assert expected("rainy_days", *first_week) == 5
    assert expected("longest_dry_spell", *first_week) == 1


def test_a_right_report_has_no_fault(report) -> None:
    assert faults(QUESTION, report) == []


def test_a_number_that_is_off_is_found(report) -> None:
    report["numbers"][0]["value"] += 1

    assert any("is right" in fault for fault in faults(QUESTION, report))


def test_a_number_that_is_missing_is_found(report) -> None:
    del report["numbers"][1]

    assert any("is missing" in fault for fault in faults(QUESTION, report))


def test_a_number_in_the_words_that_nobody_computed_is_found(report) -> None:
    report["text"] += " That is 77 more."

    assert faults(QUESTION, report) == ["the text says 77"]
