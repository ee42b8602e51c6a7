"""Tools behind an agent of their own, as in `autogen_core.tool_agent`."""

from agentopic.core.tool_agent._caller_loop import tool_agent_caller_loop
from agentopic.core.tool_agent._tool_agent import ToolAgent
from agentopic.core.tool_agent._tool_exceptions import (
    InvalidToolArgumentsException,
    ToolException,
    ToolExecutionException,
    ToolNotFoundException,
)

__all__ = [
    "InvalidToolArgumentsException",
    "ToolAgent",
    "ToolException",
    "ToolExecutionException",
    "ToolNotFoundException",
    "tool_agent_caller_loop",
]
