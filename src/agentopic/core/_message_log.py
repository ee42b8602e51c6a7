"""`MessageLog`: a runtime's structured events; costs next to nothing while nobody listens."""

from __future__ import annotations

import logging
from typing import Any, Final

from agentopic.core._agent_id import AgentId
from agentopic.core._logger_names import EVENT_LOGGER_NAME
from agentopic.core._serialization import JSON_DATA_CONTENT_TYPE
from agentopic.core._serialization_registry import SerializationRegistry
from agentopic.core._topic import TopicId
from agentopic.core.logging import (
    DeliveryStage,
    MessageDroppedEvent,
    MessageEvent,
    MessageHandlerExceptionEvent,
    MessageKind,
)
from agentopic.errors import PayloadError

_logger: Final = logging.getLogger(EVENT_LOGGER_NAME)


class MessageLog:
    """Writes what happens to messages to `EVENT_LOGGER_NAME`, with their JSON when they have one."""

    def __init__(self, serializers: SerializationRegistry) -> None:
        self._serializers = serializers

    def moved(
        self,
        message: Any,
        sender: AgentId | None,
        receiver: AgentId | TopicId | None,
        kind: MessageKind,
        stage: DeliveryStage,
    ) -> None:
        """A message was sent or is being delivered."""
        if _logger.isEnabledFor(logging.INFO):
            text = self._text(message)
            _logger.info(MessageEvent(payload=text, sender=sender, receiver=receiver, kind=kind, delivery_stage=stage))

    def dropped(
        self, message: Any, sender: AgentId | None, receiver: AgentId | TopicId | None, kind: MessageKind
    ) -> None:
        """An intervention handler dropped a message."""
        if _logger.isEnabledFor(logging.INFO):
            text = self._text(message)
            _logger.info(MessageDroppedEvent(payload=text, sender=sender, receiver=receiver, kind=kind))

    def failed(self, message: Any, agent_id: AgentId, error: BaseException) -> None:
        """A handler raised."""
        if _logger.isEnabledFor(logging.INFO):
            text = self._text(message)
            _logger.info(MessageHandlerExceptionEvent(payload=text, handling_agent=agent_id, exception=error))

    def _text(self, message: Any) -> str:
        name = self._serializers.type_name(message)
        try:
            data = self._serializers.serialize(message, type_name=name, data_content_type=JSON_DATA_CONTENT_TYPE)
        except PayloadError:
            return "Message could not be serialized"
        return data.decode("utf-8", "replace")
