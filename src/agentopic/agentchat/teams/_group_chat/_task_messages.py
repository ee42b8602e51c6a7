"""`task_messages`: the chat messages that a task stands for."""

from __future__ import annotations

from collections.abc import Sequence

from agentopic.agentchat.messages import BaseChatMessage, MessageFactory, TextMessage


def task_messages(
    task: str | BaseChatMessage | Sequence[BaseChatMessage] | None, factory: MessageFactory
) -> list[BaseChatMessage] | None:
    """The messages, None for no task.

    Raises:
        ValueError: the task is an empty list, holds something else than chat messages, or messages of classes that
            the team does not know.
    """
    if task is None:
        return None
    if isinstance(task, str):
        return [TextMessage(content=task, source="user")]
    messages = [task] if isinstance(task, BaseChatMessage) else list(task)
    if not messages:
        raise ValueError("Task list cannot be empty.")
    for message in messages:
        if not isinstance(message, BaseChatMessage):  # pyright: ignore[reportUnnecessaryIsInstance] - callers may be untyped
            raise ValueError("All messages in task list must be valid BaseChatMessage types")  # noqa: TRY004 - as in AutoGen
        if not factory.is_registered(type(message)):
            raise ValueError(
                f"Message type {type(message)} is not registered with the message factory. Please register it with the "
                "message factory by adding it to the custom_message_types list when creating the team."
            )
    return messages
