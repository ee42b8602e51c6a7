"""What a ToolAgent answers when a call cannot be made or fails."""

from __future__ import annotations

from agentopic.errors import AgentopicError


class ToolException(AgentopicError):  # noqa: N818 - AutoGen's name
    """Raised at the caller of a ToolAgent; names the call, so that its model can be told.

    An Exception, where AutoGen's is a BaseException: so it reaches callers in other processes as well.
    """

    def __init__(self, call_id: str, content: str, name: str) -> None:
        self.call_id = call_id
        self.content = content
        self.name = name
        super().__init__(call_id, content, name)

    def __str__(self) -> str:
        return self.content


class ToolNotFoundException(ToolException):
    """Raised when the agent has no tool of that name."""


class InvalidToolArgumentsException(ToolException):
    """Raised when the arguments are not JSON, or not those of the tool."""


class ToolExecutionException(ToolException):
    """Raised when the tool itself failed."""
