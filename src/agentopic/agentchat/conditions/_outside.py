"""Conditions that something beside the messages decides: a clock, a person, a function of the user's."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel

from agentopic.agentchat.conditions._latched import LatchedCondition
from agentopic.agentchat.messages import BaseAgentEvent, BaseChatMessage
from agentopic.core import Component
from agentopic.core._turn import mint_time


class TimeoutTerminationConfig(BaseModel):
    """Config of TimeoutTermination."""

    timeout_seconds: float


class ExternalTerminationConfig(BaseModel):
    """Config of ExternalTermination."""


class FunctionalTerminationConfig(BaseModel):
    """Config of FunctionalTermination, which has none: its function is code."""

    func: str = ""


class _TimeoutState(BaseModel):
    terminated: bool = False
    started_at: datetime


class _ExternalState(BaseModel):
    terminated: bool = False
    requested: bool = False


class TimeoutTermination(LatchedCondition, Component[TimeoutTerminationConfig]):
    """Reached so many seconds after it was made or last reset; its clock is that of the durable turn it runs in."""

    component_config_schema = TimeoutTerminationConfig
    component_provider_override = "autogen_agentchat.conditions.TimeoutTermination"

    def __init__(self, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        self._started_at = mint_time()

    async def _reason(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> str | None:
        if (mint_time() - self._started_at).total_seconds() < self._timeout_seconds:
            return None
        return f"Timeout of {self._timeout_seconds} seconds reached"

    async def reset(self) -> None:
        await super().reset()
        self._started_at = mint_time()

    async def save_state(self) -> Mapping[str, Any]:
        return _TimeoutState(terminated=self._terminated, started_at=self._started_at).model_dump(mode="json")

    async def load_state(self, state: Mapping[str, Any]) -> None:
        loaded = _TimeoutState.model_validate(state)
        self._terminated, self._started_at = loaded.terminated, loaded.started_at

    def _to_config(self) -> TimeoutTerminationConfig:
        return TimeoutTerminationConfig(timeout_seconds=self._timeout_seconds)

    @classmethod
    def _from_config(cls, config: TimeoutTerminationConfig) -> Self:
        return cls(timeout_seconds=config.timeout_seconds)


class ExternalTermination(LatchedCondition, Component[ExternalTerminationConfig]):
    """Reached at the next message after somebody has called `set`."""

    component_config_schema = ExternalTerminationConfig
    component_provider_override = "autogen_agentchat.conditions.ExternalTermination"

    def __init__(self) -> None:
        self._requested = False

    def set(self) -> None:
        """Ask for the end of the conversation."""
        self._requested = True

    async def _reason(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> str | None:
        return "External termination requested" if self._requested else None

    async def reset(self) -> None:
        await super().reset()
        self._requested = False

    async def save_state(self) -> Mapping[str, Any]:
        return _ExternalState(terminated=self._terminated, requested=self._requested).model_dump(mode="json")

    async def load_state(self, state: Mapping[str, Any]) -> None:
        loaded = _ExternalState.model_validate(state)
        self._terminated, self._requested = loaded.terminated, loaded.requested

    def _to_config(self) -> ExternalTerminationConfig:
        return ExternalTerminationConfig()

    @classmethod
    def _from_config(cls, config: ExternalTerminationConfig) -> Self:
        return cls()


class FunctionalTermination(LatchedCondition, Component[FunctionalTerminationConfig]):
    """Reached when a function of yours, sync or async, returns True for the new messages; it cannot be dumped."""

    component_config_schema = FunctionalTerminationConfig

    def __init__(
        self,
        func: Callable[[Sequence[BaseAgentEvent | BaseChatMessage]], bool]
        | Callable[[Sequence[BaseAgentEvent | BaseChatMessage]], Awaitable[bool]],
    ) -> None:
        self._func = func

    async def _reason(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> str | None:
        result = self._func(messages)
        if inspect.isawaitable(result):
            result = await result
        return "Functional termination condition met" if result is True else None
