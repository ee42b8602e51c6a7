"""`TerminationCondition`: when a conversation ends, and how conditions are combined by `&` and `|`."""

from __future__ import annotations

import asyncio
import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Self, cast

from pydantic import BaseModel

from agentopic.agentchat.messages import BaseAgentEvent, BaseChatMessage, StopMessage
from agentopic.core import Component, ComponentBase, ComponentModel


class TerminatedException(BaseException):
    """Raised when a condition that has been reached is asked again before its reset."""


class _AlreadyTerminated(TerminatedException, RuntimeError):  # noqa: N818 - never named by users
    """Caught by either name: AutoGen raises the one from `&`, the other from `|`."""


class TerminationCondition(ABC, ComponentBase[BaseModel]):
    """Is given every message once, and says when the conversation is over; reset before it is used again."""

    component_type = "termination"

    @property
    @abstractmethod
    def terminated(self) -> bool:
        """Whether the condition has been reached."""

    @abstractmethod
    async def __call__(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> StopMessage | None:
        """Look at what is new since the last call; the StopMessage says why the conversation is over.

        Raises:
            TerminatedException: the condition has been reached already.
        """

    @abstractmethod
    async def reset(self) -> None:
        """Begin anew."""

    async def save_state(self) -> Mapping[str, Any]:
        """What the condition has seen, as JSON values.

        Unless overridden: the instance's attributes that are JSON values. Others are taken for settings, which the
        code that makes the condition again brings along.
        """
        return {name: copy.deepcopy(value) for name, value in vars(self).items() if _is_json(value)}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over what `save_state` gave."""
        vars(self).update(copy.deepcopy(dict(state)))

    def __and__(self, other: TerminationCondition) -> TerminationCondition:
        """Reached when both have been reached, not necessarily at once."""
        return AndTerminationCondition(self, other)

    def __or__(self, other: TerminationCondition) -> TerminationCondition:
        """Reached when either has been reached."""
        return OrTerminationCondition(self, other)


class AndTerminationConditionConfig(BaseModel):
    """Config of AndTerminationCondition."""

    conditions: list[ComponentModel]


class OrTerminationConditionConfig(BaseModel):
    """Config of OrTerminationCondition."""

    conditions: list[ComponentModel]


class _CombinedState(BaseModel):
    conditions: list[dict[str, Any]]
    stop_messages: list[StopMessage] = []


class AndTerminationCondition(TerminationCondition, Component[AndTerminationConditionConfig]):
    """Reached when all of its conditions have been reached; its reason names them in the order they were."""

    component_config_schema = AndTerminationConditionConfig
    component_type = "termination"
    component_provider_override = "autogen_agentchat.base.AndTerminationCondition"

    def __init__(self, *conditions: TerminationCondition) -> None:
        self._conditions = conditions
        self._stop_messages: list[StopMessage] = []

    @property
    def terminated(self) -> bool:
        return all(condition.terminated for condition in self._conditions)

    async def __call__(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> StopMessage | None:
        if self.terminated:
            raise _AlreadyTerminated("Termination condition has already been reached")
        remaining = [condition for condition in self._conditions if not condition.terminated]
        stops = await _ask(remaining, messages)
        self._stop_messages += stops
        return _joined(self._stop_messages) if len(stops) == len(remaining) else None

    async def reset(self) -> None:
        for condition in self._conditions:
            await condition.reset()
        self._stop_messages.clear()

    async def save_state(self) -> Mapping[str, Any]:
        return await _combined_state(self._conditions, self._stop_messages)

    async def load_state(self, state: Mapping[str, Any]) -> None:
        self._stop_messages = await _load_combined(self._conditions, state)

    def _to_config(self) -> AndTerminationConditionConfig:
        return AndTerminationConditionConfig(conditions=[condition.dump_component() for condition in self._conditions])

    @classmethod
    def _from_config(cls, config: AndTerminationConditionConfig) -> Self:
        return cls(*(TerminationCondition.load_component(condition) for condition in config.conditions))


class OrTerminationCondition(TerminationCondition, Component[OrTerminationConditionConfig]):
    """Reached when one of its conditions has been reached; its reason names all that were at once."""

    component_config_schema = OrTerminationConditionConfig
    component_type = "termination"
    component_provider_override = "autogen_agentchat.base.OrTerminationCondition"

    def __init__(self, *conditions: TerminationCondition) -> None:
        self._conditions = conditions

    @property
    def terminated(self) -> bool:
        return any(condition.terminated for condition in self._conditions)

    async def __call__(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> StopMessage | None:
        if self.terminated:
            raise _AlreadyTerminated("Termination condition has already been reached")
        stops = await _ask(self._conditions, messages)
        return _joined(stops) if stops else None

    async def reset(self) -> None:
        for condition in self._conditions:
            await condition.reset()

    async def save_state(self) -> Mapping[str, Any]:
        return await _combined_state(self._conditions, [])

    async def load_state(self, state: Mapping[str, Any]) -> None:
        await _load_combined(self._conditions, state)

    def _to_config(self) -> OrTerminationConditionConfig:
        return OrTerminationConditionConfig(conditions=[condition.dump_component() for condition in self._conditions])

    @classmethod
    def _from_config(cls, config: OrTerminationConditionConfig) -> Self:
        return cls(*(TerminationCondition.load_component(condition) for condition in config.conditions))


async def _ask(
    conditions: Sequence[TerminationCondition], messages: Sequence[BaseAgentEvent | BaseChatMessage]
) -> list[StopMessage]:
    answers = await asyncio.gather(*(condition(messages) for condition in conditions))
    return [answer for answer in answers if answer is not None]


def _joined(stops: Sequence[StopMessage]) -> StopMessage:
    return StopMessage(
        content=", ".join(stop.content for stop in stops), source=", ".join(stop.source for stop in stops)
    )


async def _combined_state(
    conditions: Sequence[TerminationCondition], stops: Sequence[StopMessage]
) -> Mapping[str, Any]:
    states = [dict(await condition.save_state()) for condition in conditions]
    return _CombinedState(conditions=states, stop_messages=list(stops)).model_dump(mode="json")


async def _load_combined(conditions: Sequence[TerminationCondition], state: Mapping[str, Any]) -> list[StopMessage]:
    loaded = _CombinedState.model_validate(state)
    for condition, condition_state in zip(conditions, loaded.conditions, strict=True):
        await condition.load_state(condition_state)
    return loaded.stop_messages


def _is_json(value: object) -> bool:
    if value is None or isinstance(value, str | int | float | bool):
        return True
    if isinstance(value, list):
        return all(_is_json(item) for item in cast("list[object]", value))
    if isinstance(value, dict):
        items = cast("dict[object, object]", value).items()
        return all(isinstance(key, str) and _is_json(item) for key, item in items)
    return False
