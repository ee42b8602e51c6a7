"""What the errors of the client and the server mean for a caller."""

from __future__ import annotations

from redis.exceptions import AuthenticationError, AuthorizationError, NoPermissionError, RedisError, ResponseError

from agentopic.errors import (
    AgentopicError,
    ConfigError,
    JournalUnavailableError,
    ProcessBuriedError,
    UnreachableError,
    ValueRefusedError,
)

CLIENT_ERRORS = (RedisError, OSError, TimeoutError)


def call_error(call: str, error: BaseException) -> AgentopicError:
    """Translate the error of a call that had been sent."""
    text = str(error) or type(error).__name__
    if isinstance(error, ResponseError) and text.startswith("BURIED "):
        return ProcessBuriedError(text.removeprefix("BURIED "))
    if isinstance(error, ResponseError) and text.startswith("STRAY "):
        return ValueRefusedError(f"a row of table {text.removeprefix('STRAY ')!r} belongs to a lane that is not there")
    if "READONLY" in text or "read only replica" in text:
        return JournalUnavailableError(f"the Redis of the journal has become a replica, it stores nothing: {text}")
    return JournalUnavailableError(f"the outcome of {call} is unknown: {text}")


def start_error(place: str, error: BaseException) -> AgentopicError:
    """Translate the error of connecting for the first time."""
    text = str(error) or type(error).__name__
    if isinstance(error, AuthenticationError | AuthorizationError | NoPermissionError):
        return ConfigError(f"the Redis at {place} cannot be used: {text}")
    if isinstance(error, ResponseError) and not text.startswith(("LOADING", "BUSY", "MASTERDOWN")):
        return ConfigError(f"the Redis at {place} cannot be used: {text}")
    return UnreachableError(f"no Redis answers at {place}: {text}")
