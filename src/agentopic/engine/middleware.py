"""Middleware: callables wrapped around every handler call, the first outermost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from agentopic.engine.delivery import Delivery

CallNext = Callable[[Delivery], Awaitable[Any]]
Middleware = Callable[[Delivery, CallNext], Awaitable[Any]]
"""Given a delivery and what comes next; returns the handler's answer. Runs once per attempt, inside its turn.

Around process-lived agents once per message. What one of them is asked inside of its process is no record: the
middleware sees it as a request (without data when it cannot be serialised), its handler gets the message itself.
"""


def compose(middleware: Sequence[Middleware], handler: CallNext) -> CallNext:
    """Return the handler with all middleware around it."""
    for wrap in reversed(middleware):
        handler = _bind(wrap, handler)
    return handler


def _bind(wrap: Middleware, call_next: CallNext) -> CallNext:
    async def call(delivery: Delivery) -> Any:
        return await wrap(delivery, call_next)

    return call
