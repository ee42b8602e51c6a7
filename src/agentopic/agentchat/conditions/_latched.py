"""`LatchedCondition`: what conditions share that, once reached, stay so until their reset."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from agentopic.agentchat.base import TerminatedException, TerminationCondition
from agentopic.agentchat.messages import BaseAgentEvent, BaseChatMessage, StopMessage


class LatchedState(BaseModel):
    """Whether the condition has been reached."""

    terminated: bool = False


class LatchedCondition(TerminationCondition, ABC):
    """Implement `_reason`; the StopMessage comes from a source with the condition's name."""

    _terminated = False

    @property
    def terminated(self) -> bool:
        return self._terminated

    async def __call__(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> StopMessage | None:
        if self._terminated:
            raise TerminatedException("Termination condition has already been reached")
        reason = await self._reason(messages)
        if reason is None:
            return None
        self._terminated = True
        return StopMessage(content=reason, source=self._source_name)

    @property
    def _source_name(self) -> str:
        return type(self).__name__

    @abstractmethod
    async def _reason(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> str | None:
        """Say why the conversation is over, or None."""

    async def reset(self) -> None:
        self._terminated = False

    async def save_state(self) -> Mapping[str, Any]:
        return LatchedState(terminated=self._terminated).model_dump(mode="json")

    async def load_state(self, state: Mapping[str, Any]) -> None:
        self._terminated = LatchedState.model_validate(state).terminated
