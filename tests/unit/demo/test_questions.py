"""Questions are different, always the same, and say what the script needs to plan them."""

from __future__ import annotations

import json

import pytest

from agentopic.demo.questions import questions
from agentopic.demo.script.plan import plan_for

MANY = 150


def test_questions_are_different_and_always_the_same() -> None:
    texts = [question.text for question in questions(MANY)]

    assert len(set(texts)) == MANY
    assert texts == [question.text for question in questions(MANY)]


def test_no_more_questions_are_promised_than_there_are() -> None:
    with pytest.raises(ValueError, match="not 10000"):
        questions(10_000)


@pytest.mark.parametrize("question", questions(MANY), ids=lambda question: question.task)
def test_a_plan_made_from_the_words_asks_for_what_the_question_needs(question) -> None:
    plan = json.loads(plan_for(f"Task {question.task}: {question.text}"))

    periods = [(part["label"], part["start"], part["end"]) for part in plan["parts"]]
    assert periods == [(p.label, p.start.isoformat(), p.end.isoformat()) for p in question.periods]
    assert all(set(part["measures"]) == set(question.measures) for part in plan["parts"])


def test_a_winter_reaches_into_the_next_year_up_to_the_end_of_february() -> None:
    plan = json.loads(plan_for("Task t: How cold was winter 2015/2016 and spring 2012? days of frost"))

    assert [(part["start"], part["end"]) for part in plan["parts"]] == [
        ("2015-12-01", "2016-02-29"),
        ("2012-03-01", "2012-05-31"),
    ]
