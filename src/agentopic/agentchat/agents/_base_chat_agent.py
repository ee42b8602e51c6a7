"""`BaseChatAgent`: what every chat agent inherits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from pydantic import BaseModel

from agentopic.agentchat.base import ChatAgent, Response, TaskResult
from agentopic.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    ModelClientStreamingChunkEvent,
    TextMessage,
)
from agentopic.agentchat.state import BaseState
from agentopic.core import CancellationToken, ComponentBase, trace_invoke_agent_span


class BaseChatAgent(ChatAgent, ABC, ComponentBase[BaseModel]):
    """Implement `on_messages`, `on_reset` and `produced_message_types`; the rest follows from them.

    Raises:
        ValueError: the name is no Python identifier.
    """

    component_type = "agent"

    def __init__(self, name: str, description: str) -> None:
        if not name.isidentifier():
            raise ValueError("The agent name must be a valid Python identifier.")
        self._name = name
        self._description = description

    @property
    def name(self) -> str:
        return self._name

    @property
    def description(self) -> str:
        return self._description

    @property
    @abstractmethod
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        """The classes of messages it may answer with."""

    @abstractmethod
    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        """Answer new messages; earlier ones are the agent's to remember."""

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        """The inner messages of `on_messages`, then its Response; override it to give them as they happen."""
        response = await self.on_messages(messages, cancellation_token)
        for inner_message in response.inner_messages or []:
            yield inner_message
        yield response

    async def run(
        self,
        *,
        task: str | BaseChatMessage | Sequence[BaseChatMessage] | None = None,
        cancellation_token: CancellationToken | None = None,
        output_task_messages: bool = True,
    ) -> TaskResult:
        """Run a task to its end; ValueError when it is an empty list or holds anything but messages."""
        new_messages = _task_messages(task)
        with trace_invoke_agent_span(agent_name=self.name, agent_description=self.description):
            response = await self.on_messages(new_messages, cancellation_token or CancellationToken())
        shown = new_messages if output_task_messages else []
        return TaskResult(messages=[*shown, *(response.inner_messages or ()), response.chat_message])

    async def run_stream(
        self,
        *,
        task: str | BaseChatMessage | Sequence[BaseChatMessage] | None = None,
        cancellation_token: CancellationToken | None = None,
        output_task_messages: bool = True,
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | TaskResult, None]:
        """Like `run`, with everything as it happens; the last item is the TaskResult."""
        new_messages = _task_messages(task)
        result: list[BaseAgentEvent | BaseChatMessage] = []
        if output_task_messages:
            for message in new_messages:
                result.append(message)
                yield message
        token = cancellation_token or CancellationToken()
        with trace_invoke_agent_span(agent_name=self.name, agent_description=self.description):
            async with aclosing(self.on_messages_stream(new_messages, token)) as items:
                async for item in items:
                    message = item.chat_message if isinstance(item, Response) else item
                    yield message
                    if not isinstance(message, ModelClientStreamingChunkEvent):
                        result.append(message)
        yield TaskResult(messages=result)

    @abstractmethod
    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """Forget the conversation."""

    async def on_pause(self, cancellation_token: CancellationToken) -> None:
        """Nothing to do."""

    async def on_resume(self, cancellation_token: CancellationToken) -> None:
        """Nothing to do."""

    async def save_state(self) -> Mapping[str, Any]:
        """No state; override it to have one."""
        return BaseState().model_dump()

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Check that it is a state; override it to take it over."""
        BaseState.model_validate(state)

    async def close(self) -> None:
        """Nothing to give back."""


def _task_messages(
    task: str | BaseChatMessage | Sequence[BaseChatMessage] | None,
) -> list[BaseChatMessage]:
    if task is None:
        return []
    if isinstance(task, str):
        return [TextMessage(content=task, source="user")]
    if isinstance(task, BaseChatMessage):
        return [task]
    if not task:
        raise ValueError("Task list cannot be empty.")
    for message in task:
        if not isinstance(message, BaseChatMessage):  # pyright: ignore[reportUnnecessaryIsInstance] - callers may be untyped
            raise ValueError(f"Invalid message type in sequence: {type(message)}")  # noqa: TRY004 - as in AutoGen
    return list(task)
