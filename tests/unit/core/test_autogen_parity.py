"""agentopic.core behaves as autogen_core 0.7.5 does, but for the differences listed here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.oracle

Compared = Callable[..., tuple[Any, Any]]

DELIBERATE_DIFFERENCES: dict[str, tuple[Any, Any, str]] = {
    "default_topic_equality": (False, True, "a topic id is its value, whichever class it was made as"),
    "send_to_unknown_type": ("raises Exception", "raises LookupError", "an error of its own class"),
    "send_from_an_unregistered_sender": (
        "raises LookupError",
        "Reply(text='HI')",
        "a sender need not live in this runtime",
    ),
    "two_subscriptions_to_one_agent": (2, 1, "one message for one agent is one delivery"),
    "two_intervention_handlers": (
        "Reply(text='HI!')",
        "Reply(text='HI!!')",
        "each handler is shown what the one before it returned",
    ),
    "idle_after_a_dropped_message": (["raises TimeoutError", []], ["None", []], "the runtime becomes idle"),
    "idle_after_a_failed_intervention": (["raises TimeoutError", []], ["None", []], "the runtime becomes idle"),
}


@pytest.fixture(scope="module")
def outcomes(compared: Compared) -> tuple[dict[str, Any], dict[str, Any]]:
    return compared("autogen_scenarios.py")


def test_no_scenario_breaks(outcomes: tuple[dict[str, Any], dict[str, Any]]) -> None:
    theirs, ours = outcomes

    broken = [text for results in (theirs, ours) for text in results.values() if "scenario raised" in str(text)]

    assert broken == []


def test_scenarios_end_as_in_autogen(outcomes: tuple[dict[str, Any], dict[str, Any]]) -> None:
    theirs, ours = outcomes
    same = theirs.keys() - DELIBERATE_DIFFERENCES.keys()

    assert {name: ours[name] for name in same} == {name: theirs[name] for name in same}


@pytest.mark.parametrize("name", DELIBERATE_DIFFERENCES)
def test_a_deliberate_difference_is_as_documented(name: str, outcomes: tuple[dict[str, Any], dict[str, Any]]) -> None:
    theirs, ours = outcomes
    expected_theirs, expected_ours, _ = DELIBERATE_DIFFERENCES[name]

    assert (theirs[name], ours[name]) == (expected_theirs, expected_ours)
