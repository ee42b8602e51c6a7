"""Faults: what a callee raised is what its caller catches, and nothing is ever made from data but known errors."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from agentopic.core.tool_agent import ToolException, ToolNotFoundException
from agentopic.engine.faults import fault_content, fault_error, raise_fault
from agentopic.envelope import Envelope
from agentopic.errors import (
    AttemptsExhaustedError,
    CallCycleError,
    ExpiredError,
    ModelUnavailableError,
    PayloadError,
    RateLimitedError,
    RequestCancelledError,
    RequestError,
    RequestTimeoutError,
)


def travelled(error: BaseException) -> RequestError:
    """Return what the caller gets for what the callee raised."""
    content = fault_content(error)
    answer = Envelope(id="a", source="/s", type=content.type, data=content.data, extensions={"agmsgkind": "fault"})
    found = fault_error(answer)
    assert found is not None
    return found


def fault(**facts: Any) -> Envelope:
    return Envelope(
        id="a", source="/s", type="any.Type", data=json.dumps(facts).encode(), extensions={"agmsgkind": "fault"}
    )


@pytest.mark.parametrize("kind", [PayloadError, ModelUnavailableError, CallCycleError, RequestTimeoutError])
def test_an_error_of_ours_is_raised_as_its_own_class_and_as_a_request_error(kind: type[Exception]):
    error = travelled(kind("this went wrong"))

    assert isinstance(error, kind)
    assert isinstance(error, RequestError)
    assert str(error) == "this went wrong"
    assert error.error_type == kind.__name__


def test_a_fault_is_never_retryable_at_the_caller_because_its_answer_is_stored():
    assert ModelUnavailableError.retryable
    assert not travelled(ModelUnavailableError("away")).retryable


def test_facts_of_an_error_travel_with_it():
    error = travelled(RateLimitedError("slow down", retry_after_seconds=7.5))

    assert isinstance(error, RateLimitedError)
    assert error.retry_after_seconds == 7.5


def test_a_tool_failure_names_its_call_across_processes():
    error = travelled(ToolNotFoundException("call-1", "no such tool", "hammer"))

    assert isinstance(error, ToolException)
    assert (error.call_id, error.name, str(error)) == ("call-1", "hammer", "no such tool")


def test_what_failed_as_often_as_it_may_is_told_by_its_cause_when_callers_know_that():
    exhausted = AttemptsExhaustedError("failed 3 times")
    exhausted.__cause__ = ModelUnavailableError("away")

    assert isinstance(travelled(exhausted), ModelUnavailableError)


def test_an_error_of_the_users_own_is_a_request_error_that_names_it():
    error = travelled(KeyError("order"))

    assert type(error) is RequestError
    assert error.error_type == "KeyError"
    assert "order" in str(error)


def test_an_expired_request_has_timed_out():
    error = travelled(ExpiredError("too late"))

    assert isinstance(error, RequestTimeoutError)
    assert isinstance(error, ExpiredError)


def test_a_cancelled_handler_ends_its_request_as_cancelled():
    assert isinstance(travelled(asyncio.CancelledError()), RequestCancelledError)


@pytest.mark.parametrize(
    "name", ["os.system", "SystemExit", "__import__", "AgentopicError", "RequestError.__init__", ""]
)
def test_a_name_from_outside_becomes_no_class(name: str):
    error = fault_error(fault(error_type=name, message="boo"))

    assert type(error) is RequestError


def test_details_from_outside_cannot_replace_what_a_class_has():
    answer = fault(error_type="PayloadError", message="x", details={"retryable": True, "args": "y", "__class__": "z"})

    error = fault_error(answer)

    assert error is not None
    assert (error.retryable, error.args) == (False, ("x",))


@pytest.mark.parametrize("data", [b"not json", b"[]", b"17", b'{"details": 3}', b"{}"])
def test_a_fault_that_cannot_be_read_is_a_fault_all_the_same(data: bytes):
    answer = Envelope(id="a", source="/s", type="agentopic.Fault.v1", data=data)

    with pytest.raises(RequestError):
        raise_fault(answer)


def test_a_reply_is_no_fault():
    assert fault_error(Envelope(id="a", source="/s", type="town.Note.v1", extensions={"agmsgkind": "reply"})) is None


def test_secrets_stay_behind():
    content = fault_content(ValueError("Bearer abcdefghijklmnop was refused"))

    assert b"abcdefghijklmnop" not in (content.data or b"")
