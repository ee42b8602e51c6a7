"""Programs around the mesh: the test bed and the demo."""

from __future__ import annotations

from agentopic.errors.root import AgentopicError


class BedError(AgentopicError):
    """Raised when a server of the test bed does not start or stop as it should; carries the end of its log."""


class BedUnavailableError(BedError):
    """Raised when this machine lacks what a server of the test bed is made of; says what to install."""


class DemoError(AgentopicError):
    """Raised when a process of the demo does not do its part, so that there is nothing to count."""
