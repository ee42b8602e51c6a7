"""Demands on events hold, or fail with the events in sight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from agentopic.core import AgentId, payload
from agentopic.envelope import Envelope
from agentopic.testing import Expectation, expect


@payload("kit.Paid.v1")
class Paid(BaseModel):
    number: int


class Undeclared(BaseModel):
    number: int


def event(number: int, *, kind: str = "kit.Paid.v1", agent: str = "till", data: bytes | None = None) -> Envelope:
    return Envelope(
        id=f"e-{number}",
        source="/test",
        type=kind,
        subject=f"order-{number}",
        datacontenttype="application/json",
        data=b'{"number": %d}' % number if data is None else data,
        extensions={"agagentsendertype": agent, "agagentsenderkey": "ann"},
    )


EVENTS = [event(1), event(2), event(3, kind="shop.Undeclared", agent="clerk")]


@pytest.mark.parametrize(
    ("narrowed", "count"),
    [
        (expect(EVENTS), 3),
        (expect(EVENTS).of_type(Paid), 2),
        (expect(EVENTS).of_type("kit.Paid.v1"), 2),
        (expect(EVENTS).of_type(Undeclared), 1),
        (expect(EVENTS).from_agent("till"), 2),
        (expect(EVENTS).from_agent(AgentId("clerk", "ann")), 1),
        (expect(EVENTS).from_agent(AgentId("clerk", "bob")), 0),
        (expect(EVENTS).about("order-2"), 1),
        (expect(EVENTS).carrying(number=2), 1),
        (expect([event(1, data=b"[1]"), event(2, data=b"no json")]).carrying(number=1), 0),
        (expect(EVENTS).of_type(Paid).where("odd", lambda each: each.id == "e-1"), 1),
    ],
)
def test_conditions_narrow_the_events_down(narrowed: Expectation, count: int) -> None:
    assert len(narrowed.exactly(count).events) == count


@pytest.mark.parametrize(
    "demand",
    [
        lambda each: each.exactly(1),
        lambda each: each.exactly(3),
        lambda each: each.at_least(3),
        lambda each: each.at_most(1),
        lambda each: each.none(),
        lambda each: each.one(Paid),
    ],
)
def test_a_demand_that_does_not_hold_fails(demand: Callable[[Expectation], Any]) -> None:
    with pytest.raises(AssertionError):
        demand(expect(EVENTS).of_type(Paid))


def test_a_demand_that_holds_can_be_followed_by_another() -> None:
    paid = expect(EVENTS).of_type(Paid).at_least(1).at_most(2).exactly(2)

    assert paid.payloads(Paid) == [Paid(number=1), Paid(number=2)]
    assert paid.about("order-1").one(Paid) == Paid(number=1)


def test_a_failure_shows_what_was_sought_and_every_event() -> None:
    with pytest.raises(AssertionError) as caught:
        expect(EVENTS).of_type(Paid).from_agent("till").exactly(1)

    assert str(caught.value).splitlines() == [
        "expected exactly 1 event(s) of type kit.Paid.v1 from till, found 2 of 3:",
        '  * kit.Paid.v1 about order-1 from till/ann: {"number": 1}',
        '  * kit.Paid.v1 about order-2 from till/ann: {"number": 2}',
        '    shop.Undeclared about order-3 from clerk/ann: {"number": 3}',
    ]


def test_a_failure_shows_no_more_than_can_be_read() -> None:
    long = event(1, data=b'"%b"' % (b"x" * 10_000))

    with pytest.raises(AssertionError) as caught:
        expect([long] * 50).none()

    assert len(str(caught.value).splitlines()) == 22
    assert "... and 30 more" in str(caught.value)
    assert len(str(caught.value)) < 10_000


def test_data_of_another_class_is_refused() -> None:
    with pytest.raises(ValidationError):
        expect([event(1, data=b"{}")]).payloads(Paid)
