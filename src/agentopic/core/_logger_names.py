"""The names of the loggers that the actor layer writes to."""

from __future__ import annotations

from typing import Final

ROOT_LOGGER_NAME: Final = "agentopic.core"
"""Failures that no caller is told about, such as an event handler's exception."""

EVENT_LOGGER_NAME: Final = "agentopic.core.events"
"""Structured events (`agentopic.core.logging`), at level INFO."""

TRACE_LOGGER_NAME: Final = "agentopic.core.trace"
"""Free-form text for developers."""
