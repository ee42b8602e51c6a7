"""Conditions that count: messages and tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from pydantic import BaseModel

from agentopic.agentchat.base import TerminatedException, TerminationCondition
from agentopic.agentchat.messages import BaseAgentEvent, BaseChatMessage, StopMessage
from agentopic.core import Component


class MaxMessageTerminationConfig(BaseModel):
    """Config of MaxMessageTermination."""

    max_messages: int
    include_agent_event: bool = False


class TokenUsageTerminationConfig(BaseModel):
    """Config of TokenUsageTermination."""

    max_total_token: int | None = None
    max_prompt_token: int | None = None
    max_completion_token: int | None = None


class _MessageCount(BaseModel):
    message_count: int = 0


class _TokenCount(BaseModel):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class MaxMessageTermination(TerminationCondition, Component[MaxMessageTerminationConfig]):
    """Reached after that many chat messages; with `include_agent_event`, events count, too."""

    component_config_schema = MaxMessageTerminationConfig
    component_provider_override = "autogen_agentchat.conditions.MaxMessageTermination"

    def __init__(self, max_messages: int, include_agent_event: bool = False) -> None:
        self._max_messages = max_messages
        self._include_agent_event = include_agent_event
        self._message_count = 0

    @property
    def terminated(self) -> bool:
        return self._message_count >= self._max_messages

    async def __call__(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> StopMessage | None:
        if self.terminated:
            raise TerminatedException("Termination condition has already been reached")
        self._message_count += sum(
            self._include_agent_event or isinstance(message, BaseChatMessage) for message in messages
        )
        if not self.terminated:
            return None
        return StopMessage(
            content=f"Maximum number of messages {self._max_messages} reached, "
            f"current message count: {self._message_count}",
            source="MaxMessageTermination",
        )

    async def reset(self) -> None:
        self._message_count = 0

    async def save_state(self) -> Mapping[str, Any]:
        return _MessageCount(message_count=self._message_count).model_dump(mode="json")

    async def load_state(self, state: Mapping[str, Any]) -> None:
        self._message_count = _MessageCount.model_validate(state).message_count

    def _to_config(self) -> MaxMessageTerminationConfig:
        return MaxMessageTerminationConfig(
            max_messages=self._max_messages, include_agent_event=self._include_agent_event
        )

    @classmethod
    def _from_config(cls, config: MaxMessageTerminationConfig) -> Self:
        return cls(max_messages=config.max_messages, include_agent_event=config.include_agent_event)


class TokenUsageTermination(TerminationCondition, Component[TokenUsageTerminationConfig]):
    """Reached when the messages' `models_usage` add up to one of the limits, in tokens.

    Raises:
        ValueError: no limit is given.
    """

    component_config_schema = TokenUsageTerminationConfig
    component_provider_override = "autogen_agentchat.conditions.TokenUsageTermination"

    def __init__(
        self,
        max_total_token: int | None = None,
        max_prompt_token: int | None = None,
        max_completion_token: int | None = None,
    ) -> None:
        self._limits = TokenUsageTerminationConfig(
            max_total_token=max_total_token,
            max_prompt_token=max_prompt_token,
            max_completion_token=max_completion_token,
        )
        if not self._limits.model_dump(exclude_none=True):
            raise ValueError(
                "TokenUsageTermination needs a limit: max_total_token, max_prompt_token or max_completion_token"
            )
        self._count = _TokenCount()

    @property
    def terminated(self) -> bool:
        prompt, completion = self._count.prompt_tokens, self._count.completion_tokens
        reached = (
            (prompt + completion, self._limits.max_total_token),
            (prompt, self._limits.max_prompt_token),
            (completion, self._limits.max_completion_token),
        )
        return any(limit is not None and count >= limit for count, limit in reached)

    async def __call__(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> StopMessage | None:
        if self.terminated:
            raise TerminatedException("Termination condition has already been reached")
        usages = [message.models_usage for message in messages if message.models_usage is not None]
        prompt = self._count.prompt_tokens + sum(usage.prompt_tokens for usage in usages)
        completion = self._count.completion_tokens + sum(usage.completion_tokens for usage in usages)
        self._count = _TokenCount(prompt_tokens=prompt, completion_tokens=completion)
        if not self.terminated:
            return None
        return StopMessage(
            content=f"Token usage limit reached, total token count: {prompt + completion}, "
            f"prompt token count: {prompt}, completion token count: {completion}.",
            source="TokenUsageTermination",
        )

    async def reset(self) -> None:
        self._count = _TokenCount()

    async def save_state(self) -> Mapping[str, Any]:
        return self._count.model_dump(mode="json")

    async def load_state(self, state: Mapping[str, Any]) -> None:
        self._count = _TokenCount.model_validate(state)

    def _to_config(self) -> TokenUsageTerminationConfig:
        return self._limits

    @classmethod
    def _from_config(cls, config: TokenUsageTerminationConfig) -> Self:
        return cls(
            max_total_token=config.max_total_token,
            max_prompt_token=config.max_prompt_token,
            max_completion_token=config.max_completion_token,
        )
