"""Runs code blocks for an agent: found in Markdown, approved, run once in a durable turn."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from agentopic.agentchat.agents._code_executor_config import ApprovalFuncType, ApprovalRequest, ApprovalResponse
from agentopic.core import CancellationToken
from agentopic.core._turn import step
from agentopic.core.code_executor import CodeBlock, CodeExecutor, CodeResult
from agentopic.core.models import LLMMessage
from agentopic.errors import StepOutcomeUnknownError


def code_blocks_of(markdown: str, languages: Sequence[str]) -> list[CodeBlock]:
    """The fenced blocks in one of the languages, in order; letter case does not matter."""
    names = "|".join(re.escape(language) for language in languages)
    fences = re.finditer(rf"```\s*({names})\n(.*?)```", markdown, re.IGNORECASE | re.DOTALL)
    return [CodeBlock(code=fence[2], language=fence[1]) for fence in fences]


def as_markdown(blocks: Sequence[CodeBlock]) -> str:
    """The blocks in fences, as a person reads them."""
    return "\n\n".join(f"```{block.language}\n{block.code}\n```" for block in blocks)


async def approve_code(
    name: str, approval_func: ApprovalFuncType, blocks: Sequence[CodeBlock], context: list[LLMMessage]
) -> ApprovalResponse:
    """Ask whether the code may run; inside a durable turn the answer is recorded."""
    request = ApprovalRequest(code=as_markdown(blocks), context=context)

    async def call() -> dict[str, Any]:
        answer = approval_func(request)
        response = await answer if inspect.isawaitable(answer) else answer
        return response.model_dump(mode="json")

    return ApprovalResponse.model_validate(await step(f"{name}.approval", call, given=request.code, repeatable=True))


async def run_code(
    name: str, executor: CodeExecutor, blocks: list[CodeBlock], cancellation_token: CancellationToken
) -> CodeResult:
    """Run the blocks; the output says what a reader needs to know besides.

    Inside a durable turn the run is recorded. One that was under way when its process died is not repeated unless
    the service says so: the result then says that its outcome is unknown.
    """
    ran: CodeResult | None = None

    async def call() -> dict[str, Any]:
        nonlocal ran
        ran = await executor.execute_code_blocks(blocks, cancellation_token=cancellation_token)
        return {"exit_code": ran.exit_code, "output": ran.output}

    try:
        recorded = await step(f"{name}.code", call, given=[asdict(block) for block in blocks])
    except StepOutcomeUnknownError:
        return CodeResult(
            exit_code=1,
            output="Whether the code has run is unknown: its process died meanwhile. Check before running it again.",
        )
    result = ran or CodeResult(**recorded)
    return replace(result, output=_explained(result))


def _explained(result: CodeResult) -> str:
    if not result.output.strip():
        return f"The code has run and printed nothing (exit code {result.exit_code}). Print what should be seen."
    if result.exit_code != 0:
        return f"The code ended with an error (exit code {result.exit_code}). Its output:\n{result.output}"
    return result.output
