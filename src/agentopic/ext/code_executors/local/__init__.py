"""Running generated code as processes of this machine, as in `autogen_ext.code_executors.local`."""

from agentopic.ext.code_executors._command_line_result import CommandLineCodeResult
from agentopic.ext.code_executors.local._limits import ExecutionLimits
from agentopic.ext.code_executors.local._local_executor import LocalCommandLineCodeExecutor

__all__ = ["CommandLineCodeResult", "ExecutionLimits", "LocalCommandLineCodeExecutor"]
