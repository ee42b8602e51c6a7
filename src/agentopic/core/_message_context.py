"""`MessageContext`: what a handler is told about a message beside its payload."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agentopic.core import _turn
from agentopic.core._agent_id import AgentId
from agentopic.core._cancellation_token import CancellationToken
from agentopic.core._topic import TopicId


@dataclass
class MessageContext:
    """Where a message comes from and how it travelled."""

    sender: AgentId | None
    """The agent that sent it; None when it came from outside."""

    topic_id: TopicId | None
    """The topic it was published to; None for a message sent directly."""

    is_rpc: bool
    """Whether the sender waits for an answer."""

    cancellation_token: CancellationToken
    """Cancelled when the sender no longer wants the work done."""

    message_id: str
    """The id of the message; the same for every subscriber of one publish."""

    async def ask(
        self,
        text: str,
        *,
        choices: Sequence[str] | None = None,
        details: Any = None,
        timeout_seconds: float | None = None,
    ) -> Any:
        """Ask a person and return the answer, a JSON value; see `agentopic.core.ask`.

        Raises:
            TimeoutError: nobody has answered within `timeout_seconds`.
        """
        return await _turn.ask(text, choices=choices, details=details, timeout_seconds=timeout_seconds)

    async def sleep(self, seconds: float) -> None:
        """Wait; inside a durable turn through restarts and without holding a slot; see `agentopic.core.sleep`."""
        await _turn.sleep(seconds)
