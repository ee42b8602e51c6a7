"""`ManagerLine`: what a manager tells its participants, gathered to one notice for each."""

from __future__ import annotations

from typing import Any

from agentopic.agentchat.service._addresses import ServiceAddresses
from agentopic.agentchat.service._payloads import NoticeEntry
from agentopic.agentchat.teams._group_chat._events import (
    GroupChatAgentResponse,
    GroupChatRequestPublish,
    GroupChatReset,
    GroupChatStart,
    GroupChatTeamResponse,
)
from agentopic.core import AgentId, TopicId
from agentopic.errors import TeamError


class ManagerLine:
    """Stands for the runtime towards a manager: what it says to participants waits for the end of its turn.

    One notice from one sender has one order, whatever else is under way.
    """

    def __init__(self, addresses: ServiceAddresses) -> None:
        self._names = {addresses.seat(name): name for name in addresses.participants}
        self._group = addresses.inside().group
        self._waiting: dict[str, list[NoticeEntry]] = {}

    async def publish_message(self, message: Any, topic_id: TopicId, **_: Any) -> None:
        """Take what is meant for all, or for one."""
        if topic_id.type == self._group:
            self.tell_others(message)
        elif isinstance(message, GroupChatRequestPublish):
            self.tell(self._names[topic_id.type], NoticeEntry(kind="speak"))
        else:
            raise TeamError(f"the manager of a deployed team cannot publish a {type(message).__name__} to {topic_id}")

    async def send_message(self, message: Any, recipient: AgentId, **_: Any) -> None:
        """Take what is sent to one participant; it is not waited for: what follows is behind it."""
        if not isinstance(message, GroupChatReset):
            raise TeamError(f"the manager of a deployed team cannot send a {type(message).__name__} to {recipient}")
        self.tell(self._names[recipient.type], NoticeEntry(kind="reset"))

    def tell(self, name: str, *entries: NoticeEntry) -> None:
        """Tell one participant; without entries it hears a notice that says nothing."""
        self._waiting.setdefault(name, []).extend(entries)

    def tell_others(self, message: GroupChatStart | GroupChatAgentResponse | GroupChatTeamResponse) -> None:
        """Tell all participants but the speaker what was said."""
        if isinstance(message, GroupChatStart):
            speaker, messages = None, message.messages or []
        elif isinstance(message, GroupChatAgentResponse):
            speaker, messages = message.name, [message.chat_message]
        else:
            speaker, messages = message.name, message.messages
        for name in self._names.values():
            if name != speaker and messages:
                self.tell(name, NoticeEntry(kind="heard", messages=messages))

    def take(self) -> dict[str, list[NoticeEntry]]:
        """What was told since, by name; it is forgotten here."""
        told, self._waiting = self._waiting, {}
        return told
