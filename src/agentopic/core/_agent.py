"""`Agent`: what every agent offers to a runtime."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from agentopic.core._agent_id import AgentId
from agentopic.core._agent_metadata import AgentMetadata
from agentopic.core._message_context import MessageContext

if TYPE_CHECKING:
    from agentopic.core._agent_runtime import AgentRuntime


@runtime_checkable
class Agent(Protocol):
    """Handles messages, has an id, can save and load its state."""

    @property
    def metadata(self) -> AgentMetadata:
        """Type, key and description."""
        ...

    @property
    def id(self) -> AgentId:
        """The agent's address."""
        ...

    async def bind_id_and_runtime(self, id: AgentId, runtime: AgentRuntime) -> None:  # noqa: A002 - AutoGen's parameter
        """Tell the agent its address and runtime, before its first message.

        Raises:
            RuntimeStateError: it is bound to another id or runtime already.
        """
        ...

    async def on_message(self, message: Any, ctx: MessageContext) -> Any:
        """Handle one message; what is returned goes to the sender of a direct message.

        Raises:
            CantHandleError: the agent does not handle this kind of message.
        """
        ...

    async def save_state(self) -> Mapping[str, Any]:
        """The agent's state, serialisable as JSON."""
        ...

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over a state that `save_state` returned."""
        ...

    async def close(self) -> None:
        """Release what the agent holds; called when its runtime closes."""
        ...
