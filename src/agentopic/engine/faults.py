"""Faults: errors as typed values that travel back to the caller, and the errors made of them there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias, cast

from agentopic import errors
from agentopic.concealment import redacted
from agentopic.core.tool_agent import (
    InvalidToolArgumentsException,
    ToolException,
    ToolExecutionException,
    ToolNotFoundException,
)
from agentopic.engine.deadletters import MESSAGE_LIMIT, told
from agentopic.engine.delivery import Delivery
from agentopic.engine.payloads import FAULT_TYPE
from agentopic.engine.retries import is_retryable
from agentopic.engine.turn import Content
from agentopic.envelope import Envelope, ExtensionValue, agent_source, derive_id
from agentopic.envelope import attributes as names
from agentopic.envelope.kafka import encode
from agentopic.errors import (
    AgentopicError,
    AttemptsExhaustedError,
    ExpiredError,
    RequestCancelledError,
    RequestError,
    RequestTimeoutError,
)
from agentopic.ports.journal import Answer, Outcome

Scalar: TypeAlias = str | int | float | bool | None

_TOOLS: Final = (ToolException, ToolNotFoundException, InvalidToolArgumentsException, ToolExecutionException)
_DETAILS_LIMIT: Final = 16


def _classes() -> dict[str, type[AgentopicError]]:
    mine = (each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, AgentopicError))
    return {each.__name__: each for each in (*mine, *_TOOLS)}


_KNOWN: Final = _classes()
"""The classes that faults become again, by name. What is not here is a RequestError: nothing is ever imported."""

_made: Final[dict[str, type[RequestError]]] = {}


# ── at the callee ──────────────────────────────────────────────────────────────────────────────────────────


def fault_content(error: BaseException) -> Content:
    """Return an error as it travels: class name, message without secrets, whether it is retryable, its plain facts.

    What failed as often as it may is told by its last error, where callers can tell that one's class.
    """
    cause = error.__cause__
    if isinstance(error, AttemptsExhaustedError) and cause is not None and type(cause).__name__ in _KNOWN:
        error = cause
    fault = {
        "error_type": type(error).__name__,
        "message": told(error),
        "retryable": is_retryable(error),
        "details": _details(error),
    }
    return Content(type=FAULT_TYPE, datacontenttype="application/json", data=json.dumps(fault).encode())


def fault_envelope(delivery: Delivery, error: BaseException, *, namespace: str, now: datetime) -> Envelope:
    """Return the fault that ends a request outside of any turn, under the id that its turn's answer would have."""
    content, cause, agent = fault_content(error), delivery.envelope, delivery.agent
    request_id = delivery.request_id or ""
    extensions: dict[str, ExtensionValue] = {
        names.CORRELATIONID: cause.correlationid or cause.id,
        names.CAUSATIONID: cause.id,
        names.AGHOPS: cause.next_hops,
        names.AGMSGKIND: names.KIND_FAULT,
        names.AGREQUESTID: request_id,
        names.AGAGENTSENDERTYPE: agent.type,
        names.AGAGENTSENDERKEY: agent.key,
    }
    return Envelope(
        id=derive_id("answer", str(agent), cause.source, cause.id, cause.agredrive, request_id),
        source=agent_source(namespace, agent.type, agent.key),
        type=content.type,
        subject=cause.subject,
        time=now,
        datacontenttype=content.datacontenttype,
        data=content.data,
        extensions=extensions,
    )


def answer_record(envelope: Envelope, request_id: str, outcome: Outcome, keep_seconds: float) -> Answer:
    """Return a reply or fault as the journal stores it."""
    message = encode(envelope, key=request_id.encode())
    return Answer(
        request_id=request_id,
        outcome=outcome,
        key=message.key,
        value=message.value,
        headers=message.headers,
        keep_seconds=keep_seconds,
    )


def _details(error: BaseException) -> dict[str, Scalar]:
    plain = {name: value for name, value in vars(error).items() if isinstance(value, Scalar) and _is_fact(name)}
    some = list(plain.items())[:_DETAILS_LIMIT]
    return {name: redacted(value[:MESSAGE_LIMIT]) if isinstance(value, str) else value for name, value in some}


def _is_fact(name: str) -> bool:
    return name.isidentifier() and not name.startswith("_") and name not in {"retryable", "args"}


# ── at the caller ──────────────────────────────────────────────────────────────────────────────────────────


def raise_fault(answer: Envelope) -> None:
    """Raise what a fault envelope says; return for a reply.

    Raises:
        RequestError: the request ended in a fault. When the callee's error is one of agentopic's own, or of those of
            tool agents, it is raised as that class too, so that `except` works as if the callee were here.
    """
    error = fault_error(answer)
    if error is not None:
        raise error


def fault_error(answer: Envelope) -> RequestError | None:
    """Return the error that a fault envelope says; None for a reply."""
    if answer.agmsgkind != names.KIND_FAULT and answer.type != FAULT_TYPE:
        return None
    try:
        fault = json.loads(answer.data or b"{}")
    except ValueError:
        return RequestError(f"the request ended in a fault that cannot be read: {answer.data!r:.200}")
    if not isinstance(fault, dict):
        return RequestError(f"the request ended in a fault that cannot be read: {answer.data!r:.200}")
    facts = cast("dict[str, Any]", fault)
    return rebuilt(str(facts.get("error_type") or "error"), str(facts.get("message") or ""), facts.get("details"))


def rebuilt(error_type: str, message: str, details: object = None) -> RequestError:
    """Return the error of a fault: of the class it names when that is known here, always a RequestError.

    It is never retryable: the answer is stored, and the same request gets the same one again.
    """
    kind = _remote(error_type)
    if kind is None:
        error = RequestError(f"{error_type}: {message}" if message else error_type)
    else:
        error = kind(message)
        for name, value in cast("Mapping[object, object]", details if isinstance(details, dict) else {}).items():
            if isinstance(name, str) and isinstance(value, Scalar) and _is_fact(name) and not hasattr(kind, name):
                setattr(error, name, value)
    error.error_type = error_type
    return error


def _remote(error_type: str) -> type[RequestError] | None:
    """Return the class that is both what the callee raised and a RequestError."""
    made = _made.get(error_type)
    if made is not None:
        return made
    if error_type == "CancelledError":
        return RequestCancelledError
    kind = _KNOWN.get(error_type)
    if kind is None or kind is AgentopicError:
        return None
    request = RequestTimeoutError if issubclass(kind, ExpiredError) else RequestError
    bases = (kind,) if issubclass(kind, RequestError) else (request, kind)
    body = {"__init__": _init, "__module__": kind.__module__, "__doc__": kind.__doc__, "retryable": False}
    _made[error_type] = cast("type[RequestError]", type(kind.__name__, bases, body))
    return _made[error_type]


def _init(self: RequestError, message: str) -> None:
    # The class's own constructor may want what did not travel; its facts are set one by one.
    Exception.__init__(self, message)
