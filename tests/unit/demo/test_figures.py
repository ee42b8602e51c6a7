"""The figures count what those outside saw, and say what is wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agentopic.demo.check import expected
from agentopic.demo.figures import Account, figures
from agentopic.demo.measures import shown
from agentopic.demo.money import Kill, is_quiet, spending
from agentopic.demo.questions import Question, questions
from agentopic.testing.scripted_model import Call

KILL = Kill(worker="analyst-1", at=100.0)


def call(number: int, fingerprint: str, *, opened: float, closed: float | None, **other: Any) -> Call:
    facts: dict[str, Any] = {"caller": "analyst-1", "model": "m", "status": 200, **other}
    return Call(call=number, fingerprint=fingerprint, opened=opened, closed=closed, **facts)


CUT_OFF = call(1, "a", opened=99.8, closed=None, status=None)
PAID_AGAIN = call(2, "a", opened=104.0, closed=104.3)


def event(question: Question, number: int) -> dict[str, Any]:
    numbers: list[dict[str, Any]] = [
        {
            "measure": measure,
            "label": period.label,
            "start": period.start.isoformat(),
            "end": period.end.isoformat(),
            "value": round(float(expected(measure, period.start, period.end)), 2),
        }
        for period in question.periods
        for measure in question.measures
    ]
    text = ", ".join(shown(each["value"]) for each in numbers)
    data = {"task": question.task, "text": text, "numbers": numbers}
    return {"source": "/editor", "id": str(number), "type": "demo.Report.v1", "received": 10.0 + number, "data": data}


@pytest.fixture
def account() -> Account:
    asked = questions(3)
    return Account(
        questions=asked,
        published=[{"task": question.task, "published": 8.0} for question in asked],
        reports=[event(question, number) for number, question in enumerate(asked)],
        other_events=[],
        spending=spending([CUT_OFF, PAID_AGAIN], KILL),
        kill=KILL,
    )


def test_a_good_run_has_no_fault(account: Account) -> None:
    counted = figures(account, killed=True)

    assert counted.faults == []
    assert (counted.tasks, counted.results, counted.lost, counted.duplicates) == (3, 3, 0, 0)
    assert (counted.open_at_kill, counted.calls_repaid, counted.calls_repeated) == (1, 1, 0)
    assert (counted.p50_seconds, counted.p95_seconds) == (3.0, 3.0)


def test_a_process_that_ends_by_itself_is_a_fault(account: Account) -> None:
    assert figures(replace(account, deserters=["editor-1 ended by itself: …"]), killed=True).faults == [
        "editor-1 ended by itself: …"
    ]


def test_a_task_without_a_report_is_lost(account: Account) -> None:
    counted = figures(replace(account, reports=account.reports[1:]), killed=True)

    assert counted.lost == 1
    assert counted.faults


def test_a_task_that_was_not_taken_is_a_fault_and_not_lost(account: Account) -> None:
    counted = figures(replace(account, published=account.published[1:], reports=account.reports[1:]), killed=True)

    assert counted.lost == 0
    assert counted.faults == ["2 of 3 tasks were published"]


def test_the_same_event_twice_is_a_duplicate(account: Account) -> None:
    counted = figures(replace(account, reports=[*account.reports, account.reports[0]]), killed=True)

    assert counted.duplicates == 1
    assert counted.faults == ["1 events came twice"]


def test_a_second_report_with_an_id_of_its_own_is_a_duplicate(account: Account) -> None:
    second = {**account.reports[0], "id": "another"}

    counted = figures(replace(account, reports=[*account.reports, second]), killed=True)

    assert counted.duplicates == 1


def finding(number: int, *, received: float, event_id: str = "1") -> dict[str, Any]:
    data = {"task": "task-001", "part": number}
    return {"source": "/analyst", "id": event_id, "type": "demo.Finding.v1", "received": received, "data": data}


def test_a_second_finding_on_a_part_is_a_duplicate(account: Account) -> None:
    twice = [finding(1, received=99.9), finding(1, received=104.0, event_id="2")]

    assert figures(replace(account, other_events=twice), killed=True).duplicates == 1


def test_a_finding_that_was_being_sent_at_the_kill_may_come_again_with_its_id(account: Account) -> None:
    twice = [finding(1, received=99.9), finding(1, received=104.0)]

    counted = figures(replace(account, other_events=twice), killed=True)

    assert (counted.sent_again, counted.duplicates, counted.faults) == (1, 0, [])


def test_a_finding_that_was_sent_long_before_the_kill_may_not_come_again(account: Account) -> None:
    twice = [finding(1, received=90.0), finding(1, received=104.0)]

    counted = figures(replace(account, other_events=twice), killed=True)

    assert (counted.sent_again, counted.duplicates) == (0, 1)
    assert counted.faults == ["1 events came twice"]


def test_no_finding_comes_a_third_time(account: Account) -> None:
    thrice = [finding(1, received=99.9), finding(1, received=104.0), finding(1, received=105.0)]

    counted = figures(replace(account, other_events=thrice), killed=True)

    assert (counted.sent_again, counted.duplicates) == (1, 1)


def test_a_wrong_number_is_a_fault(account: Account) -> None:
    account.reports[0]["data"]["numbers"][0]["value"] += 5

    counted = figures(account, killed=True)

    assert counted.numbers_wrong > 0
    assert counted.faults


def test_a_kill_that_hit_nothing_is_a_fault_where_one_was_due(account: Account) -> None:
    without = replace(account, kill=None, spending=spending([replace(CUT_OFF, closed=99.9, status=200)], None))

    assert figures(without, killed=True).faults == ["no worker was killed while a model call of it was open"]
    assert figures(without, killed=False).faults == []


def test_a_call_that_was_answered_and_is_made_again_is_repeated_without_need() -> None:
    answered = call(1, "a", opened=50.0, closed=50.3)

    spent = spending([answered, PAID_AGAIN], KILL)

    assert (spent.open_at_kill, spent.repaid, spent.repeated) == (0, 0, 1)


def test_a_call_of_another_worker_is_not_open_at_the_kill() -> None:
    assert spending([replace(CUT_OFF, caller="analyst-2"), PAID_AGAIN], KILL).repeated == 1


def test_a_third_payment_is_repeated_without_need() -> None:
    third = call(3, "a", opened=110.0, closed=110.3)

    spent = spending([CUT_OFF, PAID_AGAIN, third], KILL)

    assert (spent.repaid, spent.repeated) == (1, 1)


def test_a_refused_call_is_not_paid_and_may_be_made_again() -> None:
    refused = call(1, "a", opened=50.0, closed=50.1, status=429)

    assert spending([refused, PAID_AGAIN], KILL).repeated == 0


def test_an_answer_just_sent_may_not_be_stored_yet() -> None:
    just_sent = call(1, "a", opened=99.5, closed=99.9)

    assert spending([just_sent, PAID_AGAIN], KILL).repaid == 1
    assert not is_quiet([just_sent], "analyst-1", now=100.0)
    assert is_quiet([just_sent], "analyst-1", now=100.5)
