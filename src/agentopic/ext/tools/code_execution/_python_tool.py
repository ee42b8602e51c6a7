"""`PythonCodeExecutionTool`: lets a model run Python code through a code executor."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, Field, model_serializer

from agentopic.core import CancellationToken, Component, ComponentModel
from agentopic.core.code_executor import CodeBlock, CodeExecutor
from agentopic.core.tools import BaseTool


class CodeExecutionInput(BaseModel):
    """What the model gives."""

    code: str = Field(description="The contents of the Python code block that should be executed")


class CodeExecutionResult(BaseModel):
    """What the model gets: only the output, as text."""

    success: bool
    output: str

    @model_serializer
    def ser_model(self) -> str:
        """The output, as the model reads it."""
        return self.output


class PythonCodeExecutionToolConfig(BaseModel):
    """Config of PythonCodeExecutionTool."""

    executor: ComponentModel
    description: str = "Execute Python code blocks."


class PythonCodeExecutionTool(
    BaseTool[CodeExecutionInput, CodeExecutionResult], Component[PythonCodeExecutionToolConfig]
):
    """Runs Python code and gives its output; code that fails is a result with `success` False, not an error."""

    component_config_schema = PythonCodeExecutionToolConfig
    component_provider_override = "autogen_ext.tools.code_execution.PythonCodeExecutionTool"

    def __init__(self, executor: CodeExecutor) -> None:
        super().__init__(CodeExecutionInput, CodeExecutionResult, "CodeExecutor", "Execute Python code blocks.")
        self._executor = executor

    async def run(self, args: CodeExecutionInput, cancellation_token: CancellationToken) -> CodeExecutionResult:
        """Run the code as one Python block."""
        result = await self._executor.execute_code_blocks(
            [CodeBlock(code=args.code, language="python")], cancellation_token
        )
        return CodeExecutionResult(success=result.exit_code == 0, output=result.output)

    def _to_config(self) -> PythonCodeExecutionToolConfig:
        return PythonCodeExecutionToolConfig(executor=self._executor.dump_component())

    @classmethod
    def _from_config(cls, config: PythonCodeExecutionToolConfig) -> Self:
        return cls(CodeExecutor.load_component(config.executor))
