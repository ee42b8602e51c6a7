"""Causes: which event a process-lived agent is handling, so that what it says belongs to the same run."""

from __future__ import annotations

from contextvars import ContextVar
from datetime import datetime

from agentopic.envelope import Envelope, ExtensionValue
from agentopic.envelope import attributes as names

cause_here: ContextVar[Envelope | None] = ContextVar("agentopic_process_lived_cause", default=None)
"""The event whose handler runs in this task, on a process-lived agent."""


def caused(event_id: str) -> dict[str, ExtensionValue]:
    """Return what ties a new event to the run it belongs to; it begins one when nothing is being handled here."""
    cause = cause_here.get()
    if cause is None:
        return {names.CORRELATIONID: event_id}
    traces = {
        name: cause.extensions[name] for name in (names.TRACEPARENT, names.TRACESTATE) if name in cause.extensions
    }
    return {
        names.CORRELATIONID: cause.correlationid or cause.id,
        names.CAUSATIONID: cause.id,
        names.AGHOPS: cause.next_hops,
        **traces,
    }


def run_of(event: Envelope) -> str:
    """Return the id of the run an event belongs to."""
    return event.correlationid or event.id


def seconds_left(now: datetime) -> float | None:
    """Return how long the caller of the request that is being handled here still waits; None when nobody does."""
    cause = cause_here.get()
    if cause is None or cause.expirytime is None or cause.agmsgkind != names.KIND_REQUEST:
        return None
    return max(0.0, (cause.expirytime - now).total_seconds())
