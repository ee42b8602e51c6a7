"""The structured events that go to `EVENT_LOGGER_NAME`; the text of each is one JSON object."""

from __future__ import annotations

import json
from enum import Enum
from typing import Any, cast

from agentopic.core._agent_id import AgentId
from agentopic.core._message_handler_context import handling_agent
from agentopic.core._topic import TopicId


class MessageKind(Enum):
    """How a message travels."""

    DIRECT = 1
    PUBLISH = 2
    RESPOND = 3


class DeliveryStage(Enum):
    """Where on its way a message is."""

    SEND = 1
    DELIVER = 2


class _Event:
    """Keeps the fields of one event; extra fields given by the caller come first."""

    def __init__(self, extra: dict[str, Any], **fields: Any) -> None:
        self.kwargs: dict[str, Any] = {**extra, **fields}

    def __str__(self) -> str:
        return json.dumps(self.kwargs, default=str)


class LLMCallEvent(_Event):
    """A model was called and has answered."""

    def __init__(
        self,
        *,
        messages: list[dict[str, Any]],
        response: dict[str, Any],
        prompt_tokens: int,
        completion_tokens: int,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            kwargs,
            type="LLMCall",
            messages=messages,
            response=response,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            agent_id=_handling_agent(),
        )

    @property
    def prompt_tokens(self) -> int:
        """Tokens that went in."""
        return cast("int", self.kwargs["prompt_tokens"])

    @property
    def completion_tokens(self) -> int:
        """Tokens that came out."""
        return cast("int", self.kwargs["completion_tokens"])


class LLMStreamStartEvent(_Event):
    """A model was called and begins to stream its answer."""

    def __init__(self, *, messages: list[dict[str, Any]], **kwargs: Any) -> None:
        super().__init__(kwargs, type="LLMStreamStart", messages=messages, agent_id=_handling_agent())


class LLMStreamEndEvent(_Event):
    """A model has streamed its whole answer."""

    def __init__(self, *, response: dict[str, Any], prompt_tokens: int, completion_tokens: int, **kwargs: Any) -> None:
        super().__init__(
            kwargs,
            type="LLMStreamEnd",
            response=response,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            agent_id=_handling_agent(),
        )

    @property
    def prompt_tokens(self) -> int:
        """Tokens that went in."""
        return cast("int", self.kwargs["prompt_tokens"])

    @property
    def completion_tokens(self) -> int:
        """Tokens that came out."""
        return cast("int", self.kwargs["completion_tokens"])


class ToolCallEvent(_Event):
    """A tool was called and has answered."""

    def __init__(self, *, tool_name: str, arguments: dict[str, Any], result: str) -> None:
        super().__init__(
            {},
            type="ToolCall",
            tool_name=tool_name,
            arguments=arguments,
            result=result,
            agent_id=_handling_agent(),
        )


class MessageEvent(_Event):
    """A message was sent or is being delivered."""

    def __init__(
        self,
        *,
        payload: str,
        sender: AgentId | None,
        receiver: AgentId | TopicId | None,
        kind: MessageKind,
        delivery_stage: DeliveryStage,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            kwargs,
            payload=payload,
            sender=_text(sender),
            receiver=_text(receiver),
            kind=str(kind),
            delivery_stage=str(delivery_stage),
            type="Message",
        )


class MessageDroppedEvent(_Event):
    """An intervention handler dropped a message."""

    def __init__(
        self,
        *,
        payload: str,
        sender: AgentId | None,
        receiver: AgentId | TopicId | None,
        kind: MessageKind,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            kwargs,
            payload=payload,
            sender=_text(sender),
            receiver=_text(receiver),
            kind=str(kind),
            type="MessageDropped",
        )


class MessageHandlerExceptionEvent(_Event):
    """A handler raised."""

    def __init__(self, *, payload: str, handling_agent: AgentId, exception: BaseException, **kwargs: Any) -> None:
        super().__init__(
            kwargs,
            payload=payload,
            handling_agent=str(handling_agent),
            exception=str(exception),
            type="MessageHandlerException",
        )


class AgentConstructionExceptionEvent(_Event):
    """An agent's factory raised."""

    def __init__(self, *, agent_id: AgentId, exception: BaseException, **kwargs: Any) -> None:
        super().__init__(kwargs, agent_id=str(agent_id), exception=str(exception), type="AgentConstructionException")


def _handling_agent() -> str | None:
    return _text(handling_agent.get(None))


def _text(address: AgentId | TopicId | None) -> str | None:
    return None if address is None else str(address)
