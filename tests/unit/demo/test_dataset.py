"""The data set is the published file, byte for byte, and is shipped with the package."""

from __future__ import annotations

import hashlib

from agentopic.demo.check import expected
from agentopic.demo.dataset import data_file
from agentopic.demo.questions import questions


def test_the_file_is_the_one_its_readme_names() -> None:
    content = data_file().read_bytes()

    readme = (data_file().parent / "README.md").read_text()
    assert hashlib.sha256(content).hexdigest() in readme
    assert f"| bytes | {len(content)} |" in readme


def test_every_day_of_the_four_years_is_there() -> None:
    days = [line.split(",")[0] for line in data_file().read_text().splitlines()[1:]]

    assert days == sorted(set(days))
    assert (len(days), days[0], days[-1]) == (1461, "2012/01/01", "2015/12/31")


def test_every_question_asks_about_days_that_are_there() -> None:
    for question in questions(150):
        for period in question.periods:
            assert (period.end - period.start).days >= 27
            assert expected("lowest_temp", period.start, period.end) < 40
