"""`TaskRunnerTool`: lets a model give a task to an agent or a team."""

from __future__ import annotations

import asyncio
from abc import ABC
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, ClassVar

from pydantic import BaseModel

from agentopic.agentchat.agents import BaseChatAgent
from agentopic.agentchat.base import TaskResult, Team
from agentopic.agentchat.messages import BaseAgentEvent, BaseChatMessage
from agentopic.core import CancellationToken
from agentopic.core.tools import BaseStreamTool


class TaskRunnerToolArgs(BaseModel):
    """What the model gives."""

    task: str


class TaskRunnerTool(BaseStreamTool[TaskRunnerToolArgs, BaseAgentEvent | BaseChatMessage, TaskResult], ABC):
    """Runs a task and shows what happens; its text is what was said, or only the last message.

    Calls made side by side run one after the other: agents and teams have one conversation. Inside a durable turn
    the calls of the models and tools within are recorded, not the task as a whole.
    """

    component_type = "tool"
    step_scope: ClassVar[bool] = True

    def __init__(
        self, task_runner: Team | BaseChatAgent, name: str, description: str, return_value_as_last_message: bool
    ) -> None:
        self._task_runner = task_runner
        self._return_value_as_last_message = return_value_as_last_message
        self._free = asyncio.Lock()
        super().__init__(TaskRunnerToolArgs, TaskResult, name, description, strict=True)

    async def run(self, args: TaskRunnerToolArgs, cancellation_token: CancellationToken) -> TaskResult:
        """Run the task to its end."""
        async with self._free:
            return await self._task_runner.run(task=args.task, cancellation_token=cancellation_token)

    async def run_stream(
        self, args: TaskRunnerToolArgs, cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | TaskResult, None]:
        """Run the task and yield everything as it happens, at last the TaskResult."""
        async with self._free:
            stream = self._task_runner.run_stream(task=args.task, cancellation_token=cancellation_token)
            async with aclosing(stream) as items:
                async for item in items:
                    yield item

    def return_value_as_string(self, value: TaskResult) -> str:
        """What was said, without the user's messages; or the last message's text.

        Raises:
            ValueError: the last message is asked for and is none that is said.
        """
        if self._return_value_as_last_message:
            last = value.messages[-1] if value.messages else None
            if not isinstance(last, BaseChatMessage):
                raise ValueError("The last message is not a BaseChatMessage.")
            return last.to_model_text()
        said = [message for message in value.messages if isinstance(message, BaseChatMessage)]
        return "\n\n".join(
            f"{message.source}: {message.to_model_text()}" for message in said if message.source != "user"
        )

    async def save_state_json(self) -> Mapping[str, Any]:
        """The agent's or team's state."""
        return await self._task_runner.save_state()

    async def load_state_json(self, state: Mapping[str, Any]) -> None:
        """Take over a saved state of the agent or team."""
        await self._task_runner.load_state(state)
