"""`MessageContext`: what a handler is told about a message beside its payload."""

from __future__ import annotations

from dataclasses import dataclass

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
