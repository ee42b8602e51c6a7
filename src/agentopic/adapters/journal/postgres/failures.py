"""What the errors of the driver and the database mean for a caller."""

from __future__ import annotations

import asyncpg

from agentopic.errors import (
    AgentopicError,
    ConfigError,
    JournalUnavailableError,
    ProcessBuriedError,
    UnreachableError,
    ValueRefusedError,
)

BURIED = "AG001"
LOCK_NOT_AVAILABLE = "55P03"
_REPEATABLE = frozenset({"40001", "40P01"})
"""Serialization failure and deadlock: the transaction is undone for certain."""
_REFUSED_CLASSES = ("22", "23", "54")
"""Data exceptions, constraints, program limits such as the size of an index row."""
_CONFIG_CLASSES = ("28", "3D", "3F", "42")
"""Login, unknown database, missing schema, missing privilege."""

DRIVER_ERRORS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)


def sqlstate(error: BaseException) -> str:
    """Return the five characters by which the database names an error; empty for anything else."""
    return str(getattr(error, "sqlstate", None) or "")


def is_repeatable(error: BaseException) -> bool:
    """Whether the call has certainly changed nothing and may be made again at once."""
    return sqlstate(error) in _REPEATABLE


def is_value_refused(error: BaseException) -> bool:
    """Whether the database, or the driver before sending anything, refuses a value for good."""
    encoded = isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError)
    return encoded or sqlstate(error).startswith(_REFUSED_CLASSES)


def call_error(call: str, error: BaseException) -> AgentopicError:
    """Translate the error of a call that had been sent, or could not be encoded."""
    if sqlstate(error) == BURIED:
        return ProcessBuriedError(str(error))
    if is_value_refused(error):
        return ValueRefusedError(f"the database refuses a value of {call}: {_reason(error)}")
    return JournalUnavailableError(f"the outcome of {call} is unknown: {_reason(error)}")


def start_error(place: str, error: BaseException) -> AgentopicError:
    """Translate the error of connecting or of bringing up the schema."""
    if sqlstate(error).startswith(_CONFIG_CLASSES):
        return ConfigError(f"the database at {place} cannot be used: {_reason(error)}")
    return UnreachableError(f"no database answers at {place}: {_reason(error)}")


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__
