"""`answer_of`: has a participant, an agent or a team, answer, and shows what happens on the way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import TypeAlias

from agentopic.agentchat.base import ChatAgent, Response, TaskResult, Team
from agentopic.agentchat.messages import BaseAgentEvent, BaseChatMessage
from agentopic.core import CancellationToken
from agentopic.errors import TeamError

Show: TypeAlias = Callable[[BaseAgentEvent | BaseChatMessage], Awaitable[None]]


async def answer_of(
    participant: ChatAgent | Team, messages: Sequence[BaseChatMessage], token: CancellationToken, show: Show
) -> Response | TaskResult:
    """The answer to `messages`; each inner message, and an agent's answer itself, is shown once, as it happens.

    Raises:
        TeamError: the participant's stream ended without an answer.
    """
    if isinstance(participant, Team):
        return await _result_of(participant, messages, token, show)
    return await _response_of(participant, messages, token, show)


async def _result_of(
    team: Team, messages: Sequence[BaseChatMessage], token: CancellationToken, show: Show
) -> TaskResult:
    result: TaskResult | None = None
    items = team.run_stream(task=messages or None, cancellation_token=token, output_task_messages=False)
    async with aclosing(items):
        async for item in items:
            if isinstance(item, TaskResult):
                result = item
            else:
                await show(item)
    if result is None:
        raise TeamError("The team did not produce a final TaskResult. Check the team's run_stream method.")
    return result


async def _response_of(
    agent: ChatAgent, messages: Sequence[BaseChatMessage], token: CancellationToken, show: Show
) -> Response:
    response: Response | None = None
    items = agent.on_messages_stream(messages, token)
    async with aclosing(items):
        async for item in items:
            if isinstance(item, Response):
                response = item
                await show(item.chat_message)
            else:
                await show(item)
    if response is None:
        raise TeamError("The agent did not produce a final response. Check the agent's on_messages_stream method.")
    return response
