"""`PutAwayRuntime`: makes manager and participants anew for every message, which travels as bytes."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, cast

from agentopic.agentchat.messages import BaseAgentEvent, BaseChatMessage
from agentopic.agentchat.teams import BaseGroupChat
from agentopic.agentchat.teams._group_chat._addresses import TeamAddresses
from agentopic.agentchat.teams._group_chat._base_group_chat_manager import BaseGroupChatManager
from agentopic.agentchat.teams._group_chat._carried import carried
from agentopic.agentchat.teams._group_chat._events import GroupChatBegun, GroupChatStart, GroupChatTermination
from agentopic.agentchat.teams._group_chat._task_messages import task_messages
from agentopic.core import AgentId, AgentRuntime, BaseAgent, CancellationToken, MessageContext, TopicId
from agentopic.core._serialization_registry import SerializationRegistry

KEY = "conversation"


class PutAwayRuntime:
    """Carries messages in order, one at a time; between any two of them nothing is left but bytes.

    With `live=False`, participants tell what happens in them with their answers alone, as deployed ones do.
    """

    def __init__(self, make: Callable[[], BaseGroupChat], names: list[str], *, live: bool = True) -> None:
        self._make = make
        self._live = live
        self._addresses = TeamAddresses(
            manager="manager", participants={name: f"p.{name}" for name in names}, group="group", output="output"
        )
        self._serializers = SerializationRegistry()
        self._states: dict[str, bytes] = {}
        self._waiting: deque[tuple[str, str, bytes, str]] = deque()
        self.shown: list[BaseAgentEvent | BaseChatMessage] = []
        self.ends: list[GroupChatTermination] = []
        self.made = 0

    async def put(self, item: BaseAgentEvent | BaseChatMessage | GroupChatBegun | GroupChatTermination, /) -> None:
        if isinstance(item, GroupChatTermination):
            self.ends.append(item)
        elif not isinstance(item, GroupChatBegun):
            self.shown.append(item)

    async def run(self, task: str) -> tuple[list[tuple[str, str, str]], str]:
        """What the team said, and why it stopped."""
        messages = task_messages(task, self._make()._message_factory)
        start = GroupChatStart(messages=None if messages is None else carried(messages))
        await self.send_message(start, AgentId("manager", KEY))
        while self._waiting:
            agent_type, name, payload, sender = self._waiting.popleft()
            await self._deliver(agent_type, name, payload, sender=sender, is_rpc=False)
        said = [(type(message).__name__, message.source, message.to_text()) for message in self.shown]
        self.shown = []
        return said, self.ends[-1].message.content

    async def publish_message(
        self,
        message: Any,
        topic_id: TopicId,
        *,
        sender: AgentId | None = None,
        cancellation_token: CancellationToken | None = None,
        message_id: str | None = None,
    ) -> None:
        name, _, payload = self._serializers.encode(message)
        group = [*self._addresses.participants.values(), "manager"]
        listening = {"group": group, "output": ["manager"]}.get(topic_id.type, [topic_id.type])
        origin = "" if sender is None else sender.type
        self._waiting.extend((agent_type, name, payload, origin) for agent_type in listening if agent_type != origin)

    async def send_message(
        self,
        message: Any,
        recipient: AgentId,
        *,
        sender: AgentId | None = None,
        cancellation_token: CancellationToken | None = None,
        message_id: str | None = None,
    ) -> Any:
        name, _, payload = self._serializers.encode(message)
        return await self._deliver(recipient.type, name, payload, sender="", is_rpc=True)

    async def _deliver(self, agent_type: str, name: str, payload: bytes, *, sender: str, is_rpc: bool) -> Any:
        agent = self._build(agent_type)
        await agent.bind_id_and_runtime(AgentId(agent_type, KEY), cast("AgentRuntime", self))
        if agent_type in self._states:
            await agent.load_state(json.loads(self._states[agent_type]))
        message = self._serializers.deserialize(payload, type_name=name, data_content_type="application/json")
        context = MessageContext(
            sender=AgentId(sender, KEY) if sender else None,
            topic_id=None,
            is_rpc=is_rpc,
            cancellation_token=CancellationToken(),
            message_id="m",
        )
        answer = await agent.on_message(message, context)
        state: Mapping[str, Any] = await agent.save_state()
        self._states[agent_type] = json.dumps(state).encode()
        return answer

    def _build(self, agent_type: str) -> BaseAgent:
        self.made += 1
        team = self._make()
        for name, known in self._addresses.participants.items():
            if known == agent_type:
                container = team.build_container(name, self._addresses)
                container.live = self._live
                return container
        manager: BaseGroupChatManager = team.build_manager(self._addresses, self)
        return manager
