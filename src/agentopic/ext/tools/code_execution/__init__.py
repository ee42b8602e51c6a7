"""A tool that runs Python code, as in `autogen_ext.tools.code_execution`."""

from agentopic.ext.tools.code_execution._python_tool import (
    CodeExecutionInput,
    CodeExecutionResult,
    PythonCodeExecutionTool,
)

__all__ = ["CodeExecutionInput", "CodeExecutionResult", "PythonCodeExecutionTool"]
