"""Conditions that wait for one message: of a kind, from a source, with a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from pydantic import BaseModel

from agentopic.agentchat.conditions._latched import LatchedCondition
from agentopic.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    HandoffMessage,
    StopMessage,
    TextMessage,
    ToolCallExecutionEvent,
)
from agentopic.core import Component


class StopMessageTerminationConfig(BaseModel):
    """Config of StopMessageTermination."""


class TextMentionTerminationConfig(BaseModel):
    """Config of TextMentionTermination."""

    text: str
    sources: list[str] | None = None


class HandoffTerminationConfig(BaseModel):
    """Config of HandoffTermination."""

    target: str


class SourceMatchTerminationConfig(BaseModel):
    """Config of SourceMatchTermination."""

    sources: list[str]


class TextMessageTerminationConfig(BaseModel):
    """Config of TextMessageTermination."""

    source: str | None = None


class FunctionCallTerminationConfig(BaseModel):
    """Config of FunctionCallTermination."""

    function_name: str


class StopMessageTermination(LatchedCondition, Component[StopMessageTerminationConfig]):
    """Reached at a StopMessage."""

    component_config_schema = StopMessageTerminationConfig
    component_provider_override = "autogen_agentchat.conditions.StopMessageTermination"

    async def _reason(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> str | None:
        stopped = any(isinstance(message, StopMessage) for message in messages)
        return "Stop message received" if stopped else None

    def _to_config(self) -> StopMessageTerminationConfig:
        return StopMessageTerminationConfig()

    @classmethod
    def _from_config(cls, config: StopMessageTerminationConfig) -> Self:
        return cls()


class TextMentionTermination(LatchedCondition, Component[TextMentionTerminationConfig]):
    """Reached when a message, of the given sources if there are any, contains the text."""

    component_config_schema = TextMentionTerminationConfig
    component_provider_override = "autogen_agentchat.conditions.TextMentionTermination"

    def __init__(self, text: str, sources: Sequence[str] | None = None) -> None:
        self._text = text
        self._sources = None if sources is None else list(sources)

    async def _reason(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> str | None:
        for message in messages:
            if (self._sources is None or message.source in self._sources) and self._text in message.to_text():
                return f"Text '{self._text}' mentioned"
        return None

    def _to_config(self) -> TextMentionTerminationConfig:
        return TextMentionTerminationConfig(text=self._text, sources=self._sources)

    @classmethod
    def _from_config(cls, config: TextMentionTerminationConfig) -> Self:
        return cls(config.text, sources=config.sources)


class HandoffTermination(LatchedCondition, Component[HandoffTerminationConfig]):
    """Reached at a HandoffMessage to the target."""

    component_config_schema = HandoffTerminationConfig
    component_provider_override = "autogen_agentchat.conditions.HandoffTermination"

    def __init__(self, target: str) -> None:
        self._target = target

    async def _reason(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> str | None:
        for message in messages:
            if isinstance(message, HandoffMessage) and message.target == self._target:
                return f"Handoff to {self._target} from {message.source} detected."
        return None

    def _to_config(self) -> HandoffTerminationConfig:
        return HandoffTerminationConfig(target=self._target)

    @classmethod
    def _from_config(cls, config: HandoffTerminationConfig) -> Self:
        return cls(target=config.target)


class SourceMatchTermination(LatchedCondition, Component[SourceMatchTerminationConfig]):
    """Reached when one of the sources has spoken."""

    component_config_schema = SourceMatchTerminationConfig
    component_provider_override = "autogen_agentchat.conditions.SourceMatchTermination"

    def __init__(self, sources: list[str]) -> None:
        self._sources = sources

    async def _reason(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> str | None:
        heard = next((message.source for message in messages if message.source in self._sources), None)
        return None if heard is None else f"'{heard}' answered"

    def _to_config(self) -> SourceMatchTerminationConfig:
        return SourceMatchTerminationConfig(sources=self._sources)

    @classmethod
    def _from_config(cls, config: SourceMatchTerminationConfig) -> Self:
        return cls(sources=config.sources)


class TextMessageTermination(LatchedCondition, Component[TextMessageTerminationConfig]):
    """Reached at a TextMessage, of the source if one is given."""

    component_config_schema = TextMessageTerminationConfig
    component_provider_override = "autogen_agentchat.conditions.TextMessageTermination"

    def __init__(self, source: str | None = None) -> None:
        self._source = source

    async def _reason(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> str | None:
        for message in messages:
            if isinstance(message, TextMessage) and self._source in (None, message.source):
                return f"Text message received from '{message.source}'"
        return None

    def _to_config(self) -> TextMessageTerminationConfig:
        return TextMessageTerminationConfig(source=self._source)

    @classmethod
    def _from_config(cls, config: TextMessageTerminationConfig) -> Self:
        return cls(source=config.source)


class FunctionCallTermination(LatchedCondition, Component[FunctionCallTerminationConfig]):
    """Reached when a function of that name was called, with whatever outcome."""

    component_config_schema = FunctionCallTerminationConfig
    component_provider_override = "autogen_agentchat.conditions.FunctionCallTermination"

    def __init__(self, function_name: str) -> None:
        self._function_name = function_name

    async def _reason(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> str | None:
        executions = [message.content for message in messages if isinstance(message, ToolCallExecutionEvent)]
        called = any(result.name == self._function_name for results in executions for result in results)
        return f"Function '{self._function_name}' was executed." if called else None

    def _to_config(self) -> FunctionCallTerminationConfig:
        return FunctionCallTerminationConfig(function_name=self._function_name)

    @classmethod
    def _from_config(cls, config: FunctionCallTerminationConfig) -> Self:
        return cls(function_name=config.function_name)
