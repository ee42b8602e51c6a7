"""The figures of a run, and what is wrong with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from agentopic.demo.check import faults
from agentopic.demo.money import Kill, Spending
from agentopic.demo.questions import Question

Event = Mapping[str, Any]

# How far from the kill the subscriber was given an event that its sender may not have noted as sent.
_SENDING_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What those outside have seen: the publisher, the subscriber, the model."""

    questions: Sequence[Question]
    published: Sequence[Mapping[str, Any]]
    """Acknowledged tasks, in the publisher's words."""
    reports: Sequence[Event]
    """What the subscriber kept, repeats included."""
    other_events: Sequence[Event]
    """Parts and findings, kept by the same subscriber."""
    spending: Spending
    kill: Kill | None
    deserters: Sequence[str] = ()
    """Processes that ended by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What came of a run."""

    tasks: int
    results: int
    lost: int
    duplicates: int
    """Reports, parts and findings beyond one for each task or part, and events that came twice without cause."""
    sent_again: int
    """Parts and findings that came twice with the same id, because a worker was killed before it could note that the
    broker had taken them. Whoever reads them knows the repeat by its id, as the editor does."""
    parts: int
    numbers: int
    """Numbers in the reports, each computed once more by the checker."""
    numbers_wrong: int
    model_calls: int
    model_tokens: int
    open_at_kill: int
    calls_repaid: int
    calls_repeated: int
    p50_seconds: float | None
    """From the acknowledgement of a task to the arrival of its report."""
    p95_seconds: float | None
    faults: Sequence[str]
    """Why the run failed; empty when every figure is right."""


def figures(account: Account, *, killed: bool) -> Figures:
    """Count; `killed` says whether a kill was due."""
    tasks = {each["task"] for each in account.published}
    answered = Counter(report["data"]["task"] for report in account.reports)
    wrong = _wrong_reports(account)
    waits = sorted(_waits(account))
    spent = account.spending
    sent_again = _sent_again(account)
    lost, doubled = len(tasks - answered.keys()), _duplicates(account, sent_again)
    return Figures(
        tasks=len(tasks),
        results=len(answered.keys() & tasks),
        lost=lost,
        duplicates=doubled,
        sent_again=sent_again,
        parts=sum(event["type"] == "demo.Finding.v1" for event in account.other_events),
        numbers=sum(len(report["data"]["numbers"]) for report in account.reports),
        numbers_wrong=len(wrong),
        model_calls=spent.calls,
        model_tokens=spent.tokens,
        open_at_kill=spent.open_at_kill,
        calls_repaid=spent.repaid,
        calls_repeated=spent.repeated,
        p50_seconds=round(median(waits), 2) if waits else None,
        p95_seconds=round(waits[int(0.95 * (len(waits) - 1))], 2) if waits else None,
        faults=[*_faults(account, lost, doubled, killed=killed), *wrong],
    )


def _faults(account: Account, lost: int, doubled: int, *, killed: bool) -> list[str]:
    spent = account.spending
    found = {
        f"{len(account.published)} of {len(account.questions)} tasks were published": len(account.published)
        != len(account.questions),
        f"{lost} tasks have no report; the logs of the run say why": lost > 0,
        f"{doubled} events came twice": doubled > 0,
        "no worker was killed while a model call of it was open": killed and spent.open_at_kill == 0,
        f"{spent.repaid} calls were paid again, {spent.open_at_kill} were open at the kill": spent.repaid
        > spent.open_at_kill,
        f"{spent.repeated} calls were repeated without need": spent.repeated > 0,
    }
    return [*account.deserters, *(fault for fault, holds in found.items() if holds)]


def _duplicates(account: Account, sent_again: int) -> int:
    """Everything beyond one event per report, part and finding, except what a kill explains."""
    events = (*account.reports, *account.other_events)
    return len(events) - len({_about(event) for event in events}) - sent_again


def _about(event: Event) -> tuple[Any, ...]:
    """What there must be one event about: a task's report, a part of a task, the finding on a part."""
    data = event["data"]
    return event["type"], data["task"], data.get("number"), data.get("part")


def _sent_again(account: Account) -> int:
    """Count second copies of events that were being sent when the kill came."""
    if account.kill is None:
        return 0
    first: dict[tuple[str, str], Event] = {}
    again: set[tuple[str, str]] = set()
    for event in sorted(account.other_events, key=lambda each: each["received"]):
        place = event["source"], event["id"]
        known = first.setdefault(place, event)
        if known is not event and abs(known["received"] - account.kill.at) < _SENDING_SECONDS:
            again.add(place)
    return len(again)


def _wrong_reports(account: Account) -> list[str]:
    asked = {question.task: question for question in account.questions}
    return [
        f"{report['data']['task']}: {fault}"
        for report in account.reports
        if report["data"]["task"] in asked
        for fault in faults(asked[report["data"]["task"]], report["data"])
    ]


def _waits(account: Account) -> list[float]:
    published = {each["task"]: each["published"] for each in account.published}
    arrived: dict[str, float] = {}
    for report in account.reports:
        arrived.setdefault(report["data"]["task"], report["received"])
    return [arrived[task] - at for task, at in published.items() if task in arrived]
