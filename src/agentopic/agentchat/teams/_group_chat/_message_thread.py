"""`MessageThread`: the conversation of a team, with the JSON of what was saved before kept at hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agentopic.agentchat.messages import BaseAgentEvent, BaseChatMessage, MessageFactory


class MessageThread:
    """Messages and events in order; saving it costs only what is new since it was last saved."""

    def __init__(self) -> None:
        self._messages: list[BaseAgentEvent | BaseChatMessage] = []
        self._dumps: list[Mapping[str, Any]] = []

    @property
    def messages(self) -> list[BaseAgentEvent | BaseChatMessage]:
        """All of them; a list of the caller's own."""
        return [*self._messages]

    def extend(self, messages: Iterable[BaseAgentEvent | BaseChatMessage]) -> None:
        """Append messages."""
        self._messages.extend(messages)

    def clear(self) -> None:
        """Forget everything."""
        self._messages = []
        self._dumps = []

    def dump(self) -> list[Mapping[str, Any]]:
        """All messages as JSON."""
        self._dumps.extend(message.dump() for message in self._messages[len(self._dumps) :])
        return [*self._dumps]

    def load(self, dumps: Sequence[Mapping[str, Any]], factory: MessageFactory) -> None:
        """Take over what `dump` gave; ValueError when a message is of a class the factory does not know."""
        self._messages = [factory.create(dump) for dump in dumps]
        self._dumps = [*dumps]
