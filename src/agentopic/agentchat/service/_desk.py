"""`TeamDesk`: the manager of a deployed team in one conversation, as a durable agent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from agentopic.agentchat.messages import BaseAgentEvent, BaseChatMessage
from agentopic.agentchat.service._addresses import ServiceAddresses
from agentopic.agentchat.service._manager_line import ManagerLine
from agentopic.agentchat.service._payloads import (
    READ_ITEMS,
    NoticeEntry,
    RunEnd,
    SavedPart,
    TeamBegin,
    TeamCancel,
    TeamFault,
    TeamForget,
    TeamLoad,
    TeamNotice,
    TeamOutput,
    TeamRead,
    TeamSave,
    TeamSpeech,
    TeamStatus,
    TeamWaiting,
)
from agentopic.agentchat.service._run_log import RunLog
from agentopic.agentchat.service._seat_line import answer_of
from agentopic.agentchat.teams import BaseGroupChat
from agentopic.agentchat.teams._group_chat._base_group_chat_manager import BaseGroupChatManager
from agentopic.agentchat.teams._group_chat._events import (
    GroupChatBegun,
    GroupChatReset,
    GroupChatStart,
    GroupChatTermination,
    SerializableException,
)
from agentopic.core import (
    AgentInstantiationContext,
    AgentRuntime,
    MessageContext,
    RoutedAgent,
    TopicId,
    event,
    rpc,
)

RUNNING: Final = "The team is already running, it cannot run again until it is stopped."


class TeamDesk(RoutedAgent):
    """Runs the team's manager: callers ask it, participants answer it, and it alone says what the team says.

    Each of its turns tells a participant all it has for it in one notice. Messages go to the output topic numbered,
    and the items of the last run are kept for callers that come later. What belongs to an older run is dropped.
    """

    def __init__(self, team: BaseGroupChat, addresses: ServiceAddresses) -> None:
        super().__init__(f"Manages team {addresses.team}")
        self._addresses, self._factory = addresses, team.message_factory
        self._manager_name = team.manager_name
        self._line, self._log = ManagerLine(addresses), RunLog()
        with AgentInstantiationContext.populate_context((cast("AgentRuntime", self._line), self.id)):
            self._manager = team.build_manager(addresses.inside(), self)
        self._manager.reports_errors = False
        self._told = dict.fromkeys(addresses.participants, 0)

    # ── callers ────────────────────────────────────────────────────────────────────────────────────────────

    @rpc
    async def handle_begin(self, message: TeamBegin, ctx: MessageContext) -> TeamStatus:
        """Begin a run; a run of the same name is joined, over or not, and so is a running one without a task."""
        if message.run_name is not None and message.run_name == self._log.name:
            return self._status()
        if self._manager.is_running:
            return self._status(refused=RUNNING if message.messages or message.run_name is not None else "")
        self._log.name, self._log.cause = message.run_name, ctx.message_id
        start = GroupChatStart(messages=message.messages, output_task_messages=message.output_task_messages)
        await BaseGroupChatManager.handle_start(self._manager, start, ctx)
        await self._flush()
        return self._status()

    @rpc
    async def handle_read(self, message: TeamRead, ctx: MessageContext) -> TeamStatus:
        """Tell how the last run stands."""
        return self._status(start=message.start if message.run in {None, self._log.run} else 0)

    @rpc
    async def handle_cancel(self, message: TeamCancel, ctx: MessageContext) -> TeamStatus:
        """End the run; what participants still say of it is dropped."""
        if self._manager.is_running and message.run in {None, self._manager.run}:
            self._manager.end_number()
            await self._output(self._log.close(RunEnd(outcome="cancelled", stop_reason="The run was cancelled.")))
        # Notices of the run may be cancelled with it, and those are never heard: each is told a last one to wait for.
        for name in self._addresses.participants:
            self._line.tell(name)
        await self._flush()
        return self._status()

    @rpc
    async def handle_forget(self, message: TeamForget, ctx: MessageContext) -> TeamStatus:
        """Have all forget the conversation; refused while the team runs."""
        if self._manager.is_running:
            return self._status(
                refused="The group chat is currently running. It must be stopped before it can be reset."
            )
        await BaseGroupChatManager.handle_reset(self._manager, GroupChatReset(), ctx)
        for name in self._addresses.participants:
            self._line.tell(name, NoticeEntry(kind="reset"))
        await self._flush()
        return self._status()

    @rpc
    async def handle_save(self, message: TeamSave, ctx: MessageContext) -> SavedPart:
        """Tell what the manager remembers."""
        return SavedPart(state=await self._manager.save_state(), notices=dict(self._told))

    @rpc
    async def handle_load(self, message: TeamLoad, ctx: MessageContext) -> TeamStatus:
        """Have all take over their states; refused while the team runs, and when a state is missing."""
        if self._manager.is_running:
            return self._status(refused="The team cannot be loaded while it is running.")
        states = message.agent_states
        for name in (*self._addresses.participants, self._manager_name):
            if name not in states:
                return self._status(refused=f"Agent state for {name} not found in the saved state.")
        await self._manager.load_state(states[self._manager_name])
        self._manager.end_number()  # a run that was cut short elsewhere is gone on with by the next one
        for name in self._addresses.participants:
            # The number of the run is this conversation's own.
            state = {**states[name], "run": 0}
            self._line.tell(name, NoticeEntry(kind="load", state=state))
        await self._flush()
        return self._status()

    # ── participants ───────────────────────────────────────────────────────────────────────────────────────

    @event
    async def handle_speech(self, message: TeamSpeech, ctx: MessageContext) -> None:
        """A participant has spoken: put it out, tell the others, and go on."""
        if not self._manager.awaits(message.run, message.name):
            return
        for place in message.shown:
            await self.put(message.messages[place].message(self._factory))
        answer = answer_of(message)
        self._line.tell_others(answer)
        await BaseGroupChatManager.handle_agent_response(self._manager, answer, ctx)
        await self._flush()

    @event
    async def handle_waiting(self, message: TeamWaiting, ctx: MessageContext) -> None:
        """A participant waits for somebody."""
        if self._manager.is_running and message.run == self._manager.run:
            await self.put(message.message.message(self._factory))

    @event
    async def handle_fault(self, message: TeamFault, ctx: MessageContext) -> None:
        """A participant has failed; so has the run."""
        if self._manager.is_running and message.run == self._manager.run:
            await self._fail(message.error)

    # ── what the manager says ──────────────────────────────────────────────────────────────────────────────

    async def put(self, item: BaseAgentEvent | BaseChatMessage | GroupChatBegun | GroupChatTermination, /) -> None:
        """Number what the manager puts out and publish it."""
        if isinstance(item, GroupChatBegun):
            self._log.begin(item.run, self._log.name, self._log.cause)
        elif isinstance(item, GroupChatTermination):
            end = RunEnd(
                outcome="done" if item.error is None else "failed", stop_reason=item.message.content, error=item.error
            )
            await self._output(self._log.close(end))
        else:
            await self._output(self._log.add(item))

    async def on_failed_message(self, message: Any | None, error: BaseException) -> None:
        """End the run with the error of what was given up."""
        told = SerializableException.from_exception(error)
        if isinstance(message, TeamBegin) and not self._manager.is_running:
            self._manager.begin_number(self._manager.run + 1)
            self._log.begin(self._manager.run, message.run_name, "")
            await self._fail(told)
        elif isinstance(message, TeamSpeech | TeamFault | None) and self._manager.is_running:
            await self._fail(told)

    async def on_fault(self, error: BaseException) -> None:
        """End the run with the error."""
        await self.on_failed_message(None, error)

    async def _fail(self, error: SerializableException) -> None:
        self._manager.end_number()
        end = RunEnd(outcome="failed", stop_reason="An error occurred in the group chat.", error=error)
        await self._output(self._log.close(end))

    async def _output(self, item: TeamOutput) -> None:
        await self.publish_message(item, TopicId(self._addresses.output, self.id.key))

    async def _flush(self) -> None:
        for name, entries in self._line.take().items():
            self._told[name] += 1
            notice = TeamNotice(run=self._manager.run, number=self._told[name], entries=entries)
            await self.publish_message(notice, self._addresses.line(self._addresses.seat(name), self.id.key))

    def _status(self, *, start: int = 0, refused: str = "") -> TeamStatus:
        return TeamStatus(
            run=self._log.run,
            is_running=self._manager.is_running,
            participants=[*self._addresses.participants],
            manager=self._manager_name,
            cause=self._log.cause,
            items=[] if refused else self._log.read(start, READ_ITEMS),
            refused=refused,
        )

    # ── state ──────────────────────────────────────────────────────────────────────────────────────────────

    async def save_state(self) -> Mapping[str, Any]:
        """All it needs to go on elsewhere: the manager's state, the notices told, the items of the last run."""
        manager = await self._manager.save_state()
        return {"manager": manager, "told": dict(self._told), "log": self._log.dump(manager["message_thread"])}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over what `save_state` gave."""
        manager = state["manager"]
        await self._manager.load_state(manager)
        self._told.update(state["told"])
        self._log.load(state["log"], manager["message_thread"])
