"""`TaskRunner`: whatever takes a task and ends with a `TaskResult`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from pydantic import BaseModel, SerializeAsAny

from agentopic.agentchat.messages import BaseAgentEvent, BaseChatMessage
from agentopic.core import CancellationToken


class TaskResult(BaseModel):
    """What running a task gave."""

    messages: Sequence[SerializeAsAny[BaseAgentEvent | BaseChatMessage]]
    """The task and everything that came of it, in order, without streamed pieces."""
    stop_reason: str | None = None
    """Why it ended, where there is something to say."""


class TaskRunner(Protocol):
    """Runs tasks; it remembers earlier ones, so that a call without a task goes on."""

    async def run(
        self,
        *,
        task: str | BaseChatMessage | Sequence[BaseChatMessage] | None = None,
        cancellation_token: CancellationToken | None = None,
        output_task_messages: bool = True,
    ) -> TaskResult:
        """Run a task to its end; `output_task_messages` False leaves the task itself out of the result."""
        ...

    def run_stream(
        self,
        *,
        task: str | BaseChatMessage | Sequence[BaseChatMessage] | None = None,
        cancellation_token: CancellationToken | None = None,
        output_task_messages: bool = True,
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | TaskResult, None]:
        """Like `run`, with everything as it happens; the last item is the TaskResult."""
        ...
