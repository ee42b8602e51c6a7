"""What a call of the codec came to, for tests that try anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from agentopic.errors import EnvelopeError

T = TypeVar("T")


def outcome(call: Callable[[], T]) -> T | str:
    """Return what the call returns, or the message of the EnvelopeError it raises; other errors escape."""
    try:
        return call()
    except EnvelopeError as error:
        message = str(error)
    assert message.encode()  # it can be logged: no lone surrogates from the input
    return message
