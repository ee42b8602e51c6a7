"""`CommandLineCodeResult`: what an executor that writes code to files gives back."""

from __future__ import annotations

from dataclasses import dataclass

from agentopic.core.code_executor import CodeResult


@dataclass
class CommandLineCodeResult(CodeResult):
    """A CodeResult with the file of the first block, None when none was written."""

    code_file: str | None
