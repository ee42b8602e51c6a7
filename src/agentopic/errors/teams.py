"""Teams."""

from __future__ import annotations

from agentopic.errors.root import AgentopicError


class TeamError(AgentopicError, RuntimeError):
    """Raised where a team's run cannot go on: a participant or its manager failed, or a speaker does not exist.

    The text holds class, message and traceback of the original error where there is one; its class and message
    are `error_type` and `error_message`, too.
    """

    def __init__(self, message: str, error_type: str = "", error_message: str = "") -> None:
        self.error_type = error_type
        self.error_message = error_message
        super().__init__(message)


class TeamInterruptedError(TeamError):
    """A TeamError for what may pass: the original error is retryable, or not one of agentopic's."""

    retryable = True
