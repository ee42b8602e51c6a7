"""What a failure means: the class of the error decides, and a provider's Retry-After is heeded."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from agentopic import errors
from agentopic.core import MessageContext
from agentopic.engine.options import RetryPolicy
from agentopic.engine.retries import final_error, is_retryable, retry_delay
from agentopic.errors import AgentopicError, AttemptsExhaustedError, RateLimitedError, Reject, RetryLater

from .town import Note, Resident, Town, fact, topic, until

POLICY = RetryPolicy(max_failures=3, initial_seconds=0.5, max_seconds=1.0, factor=2.0)
GUIDE = (Path(__file__).parents[3] / "docs" / "delivery.md").read_text()
CLASSES = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, AgentopicError)]


def row(beginning: str) -> str:
    """Return the row of the guide's table that begins so."""
    found = re.search(rf"^\| {re.escape(beginning)}.*$", GUIDE, re.MULTILINE)
    assert found is not None, beginning
    return found[0]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_the_class_of_an_error_decides(kind: type[AgentopicError]):
    error = kind.__new__(kind)
    error.args = ("no",)
    if isinstance(error, RetryLater):
        error.delay_seconds = 0.0

    assert (retry_delay(error, 1, POLICY) is not None) == kind.retryable


@pytest.mark.parametrize("error", [ValueError("no"), KeyError("x"), OSError("broken"), MemoryError()])
def test_errors_of_others_get_the_benefit_of_the_doubt(error: BaseException):
    assert is_retryable(error)
    assert retry_delay(error, 3, POLICY) is None


def test_a_rejection_is_final_at_once():
    assert retry_delay(Reject("no"), 1, POLICY) is None


def test_later_is_taken_at_its_word():
    assert retry_delay(RetryLater("later", 7200.0), 2, POLICY) == 7200.0


@pytest.mark.parametrize("failures", [1, 2])
def test_a_provider_is_not_asked_before_the_time_it_names(failures: int):
    delay = retry_delay(RateLimitedError("slowly", retry_after_seconds=90.0), failures, POLICY)

    assert delay == 90.0


@pytest.mark.parametrize("wished", [None, 0.0])
def test_without_such_a_time_the_pause_grows_up_to_its_limit(wished: float | None):
    delays = [retry_delay(RateLimitedError("slowly", retry_after_seconds=wished), 2, POLICY) for _ in range(50)]

    assert all(delay is not None and 0.0 <= delay <= 1.0 for delay in delays)


def test_what_failed_often_says_so_and_names_the_last_error():
    error = final_error(ValueError("sold out"), 3)

    assert isinstance(error, AttemptsExhaustedError)
    assert "3 times" in str(error)
    assert "ValueError: sold out" in str(error)
    assert isinstance(error.__cause__, ValueError)


async def test_a_provider_s_time_holds_between_attempts_too(town: Town):
    attempts = list[float]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        attempts.append(asyncio.get_running_loop().time())
        if len(attempts) == 1:
            raise RateLimitedError("slowly", retry_after_seconds=0.2)

    runtime = town.runtime()
    await town.settle(runtime, "clerk", handle)
    await runtime.start()
    await runtime.publish_message(Note(), topic("clerk"))
    await runtime.stop_when_idle()

    first, second = attempts
    assert second - first > 0.1  # two clocks: the journal's decides
    assert town.records("dead.clerk") == []


async def test_a_failure_that_stays_is_given_up_after_the_policy_s_failures(town: Town):
    attempts = list[int]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        attempts.append(1)
        raise ValueError("no")

    runtime = town.runtime()
    await town.settle(runtime, "clerk", handle)
    await runtime.start()
    await runtime.publish_message(Note(), topic("clerk"))
    await until(lambda: bool(town.records("dead.clerk")), "given up")

    assert len(attempts) == 3
    assert [fact(each, "attempts") for each in town.records("dead.clerk")] == ["3"]


def test_the_classes_in_the_guide_are_in_the_right_rows():
    again = re.findall(r"`(\w+Error)`", row("an error of agentopic whose class says"))
    dead = re.findall(r"`(\w+Error)`", row("any other error of agentopic"))

    assert again
    assert dead
    assert all(getattr(errors, name).retryable for name in again)
    assert not any(getattr(errors, name).retryable for name in dead)
