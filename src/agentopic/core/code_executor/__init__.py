"""Running generated code, and functions it may call, as in `autogen_core.code_executor`."""

from agentopic.core.code_executor._code_executor import CodeBlock, CodeExecutor, CodeResult
from agentopic.core.code_executor._function_with_requirements import (
    FunctionWithRequirements,
    FunctionWithRequirementsStr,
    with_requirements,
)
from agentopic.core.code_executor._imports import Alias, Import, ImportFromModule

__all__ = [
    "Alias",
    "CodeBlock",
    "CodeExecutor",
    "CodeResult",
    "FunctionWithRequirements",
    "FunctionWithRequirementsStr",
    "Import",
    "ImportFromModule",
    "with_requirements",
]
