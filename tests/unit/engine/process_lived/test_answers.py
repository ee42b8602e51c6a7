"""Answers kept against repeated requests: as many as fit, their ids for longer."""

from __future__ import annotations

from agentopic.engine.process_lived.answers import Answers
from agentopic.envelope import Envelope


def answer(size: int) -> Envelope:
    return Envelope(id="a", source="/s", type="t", data=b"x" * size)


def test_the_oldest_answers_make_room_and_their_requests_are_still_known():
    answers = Answers(limit_bytes=100)

    for name in ("one", "two", "three"):
        answers.keep(name, answer(40))

    assert [name in answers for name in ("one", "two", "three", "four")] == [True, True, True, False]
    assert answers.get("one") is None
    assert answers.get("two") is not None
    assert answers.get("three") is not None


def test_an_answer_larger_than_the_limit_is_kept_until_the_next_one():
    answers = Answers(limit_bytes=10)

    answers.keep("large", answer(100))
    kept = answers.get("large")
    answers.keep("small", answer(1))

    assert kept is not None
    assert answers.get("large") is None
    assert answers.get("small") is not None
