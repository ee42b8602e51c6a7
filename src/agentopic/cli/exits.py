"""The exit codes and which error ends with which."""

from __future__ import annotations

from enum import IntEnum

from agentopic.errors import (
    AgentopicError,
    ConfigError,
    InvalidNameError,
    JournalUnavailableError,
    MissingTopicError,
    ModelTimeoutError,
    RequestTimeoutError,
    StillRunningError,
    UnknownAgentError,
    UnknownLetterError,
    UnknownQuestionError,
    UnreachableError,
)


class Exit(IntEnum):
    """What an exit code says to a script."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    """Usage or configuration."""
    UNREACHABLE = 3
    """Broker, database or service."""
    NOT_FOUND = 4
    CONFLICT = 5
    """A precondition does not hold."""
    TIMED_OUT = 6
    NOT_AUTHORISED = 7
    PARTLY = 8
    """Partly done; the output says what."""
    CHECK_FAILED = 9
    INTERRUPTED = 130
    TERMINATED = 143


# The first class that fits decides: subclasses stand before their bases.
_CODES: tuple[tuple[type[AgentopicError], Exit], ...] = (
    (MissingTopicError, Exit.NOT_FOUND),
    (UnknownAgentError, Exit.NOT_FOUND),
    (UnknownLetterError, Exit.NOT_FOUND),
    (UnknownQuestionError, Exit.NOT_FOUND),
    (RequestTimeoutError, Exit.TIMED_OUT),
    (ModelTimeoutError, Exit.TIMED_OUT),
    (StillRunningError, Exit.CONFLICT),
    (UnreachableError, Exit.UNREACHABLE),
    (JournalUnavailableError, Exit.UNREACHABLE),
    (ConfigError, Exit.USAGE),
    (InvalidNameError, Exit.USAGE),
)


def exit_code(error: AgentopicError) -> Exit:
    """Return the exit code of an error; 1 for those without a code of their own."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), Exit.FAILED)
