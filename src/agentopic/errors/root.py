"""The root of all errors."""

from __future__ import annotations

from typing import ClassVar


class AgentopicError(Exception):
    """Root of all errors raised by agentopic."""

    retryable: ClassVar[bool] = False
    """Whether the same call may succeed later without a change to code, data or settings."""
