"""`AgentProxy`: an agent as its runtime shows it."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any

from agentopic.core._agent_id import AgentId
from agentopic.core._agent_metadata import AgentMetadata
from agentopic.core._agent_runtime import AgentRuntime
from agentopic.core._cancellation_token import CancellationToken


class AgentProxy:
    """Stands for an agent without holding it; everything goes through the runtime."""

    def __init__(self, agent: AgentId, runtime: AgentRuntime) -> None:
        self._agent = agent
        self._runtime = runtime

    @property
    def id(self) -> AgentId:
        """The agent's address."""
        return self._agent

    @property
    def metadata(self) -> Awaitable[AgentMetadata]:
        """Type, key and description, to be awaited."""
        return self._runtime.agent_metadata(self._agent)

    async def send_message(
        self,
        message: Any,
        *,
        sender: AgentId,
        cancellation_token: CancellationToken | None = None,
        message_id: str | None = None,
    ) -> Any:
        """Send to the agent and return its answer, as `AgentRuntime.send_message` does."""
        return await self._runtime.send_message(
            message,
            recipient=self._agent,
            sender=sender,
            cancellation_token=cancellation_token,
            message_id=message_id,
        )

    async def save_state(self) -> Mapping[str, Any]:
        """The agent's state."""
        return await self._runtime.agent_save_state(self._agent)

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Give the agent a state."""
        await self._runtime.agent_load_state(self._agent, state)
