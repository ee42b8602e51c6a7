"""The idempotency key of the tool call that is running, derived from its step."""

from __future__ import annotations

import uuid
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

_current: ContextVar[str | None] = ContextVar("agentopic_idempotency_key", default=None)


def current_idempotency_key() -> str | None:
    """The key of the running tool call; None outside a durable turn.

    A later attempt at the same call has the same key: hand it to whatever service the tool calls.
    """
    return _current.get()


def idempotency_key_or_new() -> str:
    """The key of the running tool call, or a fresh one outside a durable turn."""
    return _current.get() or str(uuid.uuid4())


@contextmanager
def use_idempotency_key(key: str) -> Generator[None]:
    """Make `key` the current one for the enclosed block."""
    token = _current.set(key)
    try:
        yield
    finally:
        _current.reset(token)
