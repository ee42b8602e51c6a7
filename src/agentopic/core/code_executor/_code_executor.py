"""`CodeExecutor`: runs blocks of code somewhere else than in this process."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from pydantic import BaseModel

from agentopic.core._cancellation_token import CancellationToken
from agentopic.core._component_config import ComponentBase


@dataclass
class CodeBlock:
    """Source text and its language, as named in a Markdown fence."""

    code: str
    language: str


@dataclass
class CodeResult:
    """What running some blocks gave; `exit_code` 0 means success."""

    exit_code: int
    output: str


class CodeExecutor(ABC, ComponentBase[BaseModel]):
    """Runs code blocks; use it as an async context manager, or call `start` and `stop`."""

    component_type = "code_executor"

    @abstractmethod
    async def execute_code_blocks(
        self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken
    ) -> CodeResult:
        """Run the blocks in order, up to the first that fails.

        Raises:
            asyncio.CancelledError: the token was cancelled; nothing of the run is left behind.
        """

    @abstractmethod
    async def start(self) -> None:
        """Prepare what runs need."""

    @abstractmethod
    async def stop(self) -> None:
        """End running code and give everything back."""

    @abstractmethod
    async def restart(self) -> None:
        """Forget what earlier runs left."""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> bool | None:
        await self.stop()
        return None
