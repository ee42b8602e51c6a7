"""Running generated code behind a wall of kernel namespaces, by bubblewrap."""

from agentopic.ext.code_executors.sandbox._bubblewrap import sandbox_works
from agentopic.ext.code_executors.sandbox._sandbox_executor import SandboxCommandLineCodeExecutor, SandboxConfig

__all__ = ["SandboxCommandLineCodeExecutor", "SandboxConfig", "sandbox_works"]
