"""`TeamSeat`: one participant of a deployed team in one conversation, as a durable agent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from agentopic.agentchat.service._addresses import ServiceAddresses
from agentopic.agentchat.service._payloads import NoticeEntry, SavedPart, TeamFault, TeamNotice, TeamSave
from agentopic.agentchat.service._seat_line import SeatLine, Told
from agentopic.agentchat.teams import BaseGroupChat
from agentopic.agentchat.teams._group_chat._chat_agent_container import ChatAgentContainer
from agentopic.agentchat.teams._group_chat._events import (
    GroupChatRequestPublish,
    GroupChatReset,
    GroupChatStart,
    SerializableException,
)
from agentopic.core import AgentInstantiationContext, AgentRuntime, MessageContext, RoutedAgent, event, rpc


class TeamSeat(RoutedAgent):
    """Does what the manager's notices say; what comes of it is one envelope to the manager, at commit.

    What happens meanwhile is shown as previews; that it waits for a person is told at once. An error is left to the
    runtime to repeat, and told to the manager when the notice is given up. Notices of older runs are dropped.
    """

    def __init__(self, team: BaseGroupChat, name: str, addresses: ServiceAddresses) -> None:
        super().__init__(f"{name} in team {addresses.team}")
        self._name, self._addresses = name, addresses
        self._line = SeatLine(team.message_factory, self._tell)
        with AgentInstantiationContext.populate_context((cast("AgentRuntime", self._line), self.id)):
            self._container = team.build_container(name, addresses.inside())
        self._container.reports_errors = False
        self._run = self._heard = 0

    @event
    async def handle_notice(self, message: TeamNotice, ctx: MessageContext) -> None:
        """Do all that it says, in order."""
        self._heard = max(self._heard, message.number)
        if message.run < self._run:
            return
        self._run = message.run
        self._line.begin()
        for entry in message.entries:
            await self._do(entry, ctx)

    @rpc
    async def handle_save(self, message: TeamSave, ctx: MessageContext) -> SavedPart:
        """Tell what the participant remembers."""
        return SavedPart(state=await self._container.save_state(), notices={self._name: self._heard})

    async def on_failed_message(self, message: Any | None, error: BaseException) -> None:
        """Tell the manager, in the run that the notice belonged to."""
        run = message.run if isinstance(message, TeamNotice) else self._run
        if isinstance(message, TeamNotice):
            self._heard = max(self._heard, message.number)
        elif message is not None:
            return  # what a caller asked: it has its answer
        await self._tell(TeamFault(run=run, name=self._name, error=SerializableException.from_exception(error)), False)

    async def on_fault(self, error: BaseException) -> None:
        """Tell the manager."""
        await self.on_failed_message(None, error)

    async def save_state(self) -> Mapping[str, Any]:
        """All it needs to go on elsewhere."""
        return {"run": self._run, "heard": self._heard, "container": await self._container.save_state()}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over what `save_state` gave."""
        self._run, self._heard = state["run"], state["heard"]
        await self._container.load_state(state["container"])

    async def _do(self, entry: NoticeEntry, ctx: MessageContext) -> None:
        container, run = self._container, self._run
        if entry.kind == "heard":
            await ChatAgentContainer.handle_start(container, GroupChatStart(run=run, messages=entry.messages), ctx)
        elif entry.kind == "speak":
            await ChatAgentContainer.handle_request(container, GroupChatRequestPublish(run=run), ctx)
        elif entry.kind == "reset":
            await ChatAgentContainer.handle_reset(container, GroupChatReset(), ctx)
        else:
            await container.load_state(entry.state or {})

    async def _tell(self, told: Told, at_once: bool) -> None:
        await self.publish_message(told, self._addresses.line(self._addresses.team, self.id.key), now=at_once)
