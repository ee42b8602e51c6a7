"""Tools, code executors, memories: what an agent uses outside of itself."""

from __future__ import annotations

from agentopic.errors.root import AgentopicError


class ToolError(AgentopicError):
    """Raised when a tool cannot do what was asked; the model is told the text."""


class AddressRefusedError(ToolError, PermissionError):
    """Raised when a network tool is led to an address or scheme that it may not open."""


class ToolConnectionError(ToolError, ConnectionError):
    """Raised when the server of a tool cannot be reached, or breaks off."""

    retryable = True


class ToolServerTimeoutError(ToolConnectionError, TimeoutError):
    """Raised when the server of a tool does not answer, or does not end its answer, in time."""


class ToolAnswerError(ToolError, ValueError):
    """Raised when the answer to a tool cannot be used: too large, binary, broken, or not what it says it is."""


class PatchError(ToolError, ValueError):
    """Raised when a patch is no unified diff, or does not fit the text it is for."""


class McpError(ToolError):
    """Raised when an MCP server refuses a call, or answers with what is not MCP."""


class McpConnectionError(McpError, ToolConnectionError):
    """Raised when an MCP server cannot be started or reached, or dies."""


class McpTimeoutError(McpConnectionError, ToolServerTimeoutError):
    """Raised when an MCP server does not answer in time."""


class McpToolNotFoundError(McpError, ValueError):
    """Raised when an MCP server offers no tool of the name asked for; names those it offers."""


class CodeExecutorError(ToolError, RuntimeError):
    """Raised when a code executor cannot run code: not started, or what it runs on fails."""


class CodeExecutorUnavailableError(CodeExecutorError):
    """Raised when this machine lacks what a code executor runs on; says what to install or start."""


class MemoryStoreError(AgentopicError):
    """Raised when the store behind a memory does not answer or holds what is not a memory."""

    retryable = True


class ToolCallError(ToolError):
    """Raised when a tool call ends by its limits; a model that made the call is told."""


class ToolTimeoutError(ToolCallError, TimeoutError):
    """Raised when a tool takes longer than its `timeout_seconds` (600 s unless set)."""


class ToolResultTooLargeError(ToolCallError, ValueError):
    """Raised when the text of a tool's result is longer than its `max_result_characters` (1,000,000 unless set)."""
