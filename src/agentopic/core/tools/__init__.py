"""Tools and workbenches, as in `autogen_core.tools`."""

from agentopic.core.tools._base_tool import BaseStreamTool, BaseTool, BaseToolWithState
from agentopic.core.tools._function_tool import FunctionTool
from agentopic.core.tools._idempotency import current_idempotency_key
from agentopic.core.tools._recording import ToolEffect
from agentopic.core.tools._static_workbench import StaticStreamWorkbench, StaticWorkbench
from agentopic.core.tools._tool import StreamTool, Tool
from agentopic.core.tools._tool_schema import ParametersSchema, ToolOverride, ToolSchema
from agentopic.core.tools._workbench import (
    ImageResultContent,
    ResultContent,
    StreamWorkbench,
    TextResultContent,
    ToolResult,
    Workbench,
)

__all__ = [
    "BaseStreamTool",
    "BaseTool",
    "BaseToolWithState",
    "FunctionTool",
    "ImageResultContent",
    "ParametersSchema",
    "ResultContent",
    "StaticStreamWorkbench",
    "StaticWorkbench",
    "StreamTool",
    "StreamWorkbench",
    "TextResultContent",
    "Tool",
    "ToolEffect",
    "ToolOverride",
    "ToolResult",
    "ToolSchema",
    "Workbench",
    "current_idempotency_key",
]
