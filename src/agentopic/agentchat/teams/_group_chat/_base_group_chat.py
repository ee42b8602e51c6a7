"""`BaseGroupChat`: a team whose participants talk in a group chat led by a manager."""

from __future__ import annotations

import asyncio
import uuid
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

from pydantic import BaseModel

from agentopic.agentchat.base import ChatAgent, TaskResult, Team, TerminationCondition
from agentopic.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    MessageFactory,
    ModelClientStreamingChunkEvent,
)
from agentopic.agentchat.state import TeamState
from agentopic.agentchat.teams._group_chat._addresses import TeamAddresses
from agentopic.agentchat.teams._group_chat._base_group_chat_manager import BaseGroupChatManager, TeamOutput
from agentopic.agentchat.teams._group_chat._carried import carried
from agentopic.agentchat.teams._group_chat._chat_agent_container import ChatAgentContainer
from agentopic.agentchat.teams._group_chat._events import (
    GroupChatPause,
    GroupChatReset,
    GroupChatResume,
    GroupChatStart,
    GroupChatTermination,
)
from agentopic.agentchat.teams._group_chat._participants import message_factory_of, names_of
from agentopic.agentchat.teams._group_chat._progress import ManagerProgress
from agentopic.agentchat.teams._group_chat._public_state import at_rest
from agentopic.agentchat.teams._group_chat._task_messages import task_messages
from agentopic.agentchat.teams._group_chat._team_run import RunOutput, TeamRun
from agentopic.core import (
    AgentId,
    AgentRuntime,
    BaseAgent,
    CancellationToken,
    ComponentBase,
    SingleThreadedAgentRuntime,
    TypeSubscription,
)
from agentopic.errors import TeamError, TeamInterruptedError


class BaseGroupChat(Team, ABC, ComponentBase[BaseModel]):
    """Runs a group chat on the given runtime, or on one of its own.

    On a runtime that is given, and must be running, manager and participants are registered with their first use and
    live as long as this process. Without one the team needs no running runtime, and a run in which nobody has
    anything left to do ends with an error. One run at a time.

    Args:
        participants: agents or teams with names of their own.
        group_chat_manager_name: under which the manager's state is saved, and what it calls itself in messages.
        group_chat_manager_class: the class that the factory of managers makes.
        termination_condition: asked about everything new after each group-chat turn; reset at the end of a run.
        max_turns: how many group-chat turns a run has at most.
        custom_message_types: classes of messages beside the built-in ones.
        emit_team_events: whether the choice of speakers is put out.

    Raises:
        ValueError: there is no participant, or two have one name.
    """

    component_type = "team"

    def __init__(  # noqa: PLR0917 - AutoGen's signature
        self,
        name: str,
        description: str,
        participants: list[ChatAgent | Team],
        group_chat_manager_name: str,
        group_chat_manager_class: type[BaseGroupChatManager],
        termination_condition: TerminationCondition | None = None,
        max_turns: int | None = None,
        runtime: AgentRuntime | None = None,
        custom_message_types: list[type[BaseAgentEvent | BaseChatMessage]] | None = None,
        emit_team_events: bool = False,
    ) -> None:
        self._name = name
        self._description = description
        self._participant_names = names_of(participants)
        self._participants = participants
        self._base_group_chat_manager_class = group_chat_manager_class
        self._group_chat_manager_name = group_chat_manager_name
        self._termination_condition = termination_condition
        self._max_turns = max_turns
        self._message_factory = message_factory_of(participants, custom_message_types)
        self._emit_team_events = emit_team_events
        self._embedded_runtime = (
            None if runtime is not None else SingleThreadedAgentRuntime(ignore_unhandled_exceptions=False)
        )
        self._runtime: AgentRuntime = runtime or self._needed_runtime()
        self._team_id = str(uuid.uuid4())
        self._addresses = TeamAddresses.of_process(self._team_id, group_chat_manager_name, self._participant_names)
        self._output = RunOutput()
        self._last_run = 0
        self._initialized = False
        self._is_running = False

    @property
    def name(self) -> str:
        return self._name

    @property
    def description(self) -> str:
        return self._description

    @abstractmethod
    def _create_group_chat_manager_factory(self, **setup: Any) -> Callable[[], BaseGroupChatManager]:
        """What makes managers of this kind of team; `setup` are arguments of BaseGroupChatManager, all but the last."""

    @property
    def participant_names(self) -> list[str]:
        """The names of the participants, in order."""
        return [*self._participant_names]

    @property
    def participants(self) -> list[ChatAgent | Team]:
        """The participants, in order."""
        return [*self._participants]

    @property
    def manager_name(self) -> str:
        """The name under which the manager's state is saved."""
        return self._group_chat_manager_name

    @property
    def message_factory(self) -> MessageFactory:
        """Knows the classes of messages that the team may say."""
        return self._message_factory

    # ── agents ─────────────────────────────────────────────────────────────────────────────────────────────

    def build_manager(self, addresses: TeamAddresses, output: TeamOutput) -> BaseGroupChatManager:
        """A manager that is not registered yet.

        Raises:
            ValueError: the team's settings do not fit each other.
        """
        return self._create_group_chat_manager_factory(
            name=self._group_chat_manager_name,
            group_topic_type=addresses.group,
            output_topic_type=addresses.output,
            participant_topic_types=list(addresses.participants.values()),
            participant_names=self._participant_names,
            participant_descriptions=[participant.description for participant in self._participants],
            output_message_queue=output,
            termination_condition=self._termination_condition,
            max_turns=self._max_turns,
            message_factory=self._message_factory,
        )()

    def build_container(self, name: str, addresses: TeamAddresses) -> ChatAgentContainer:
        """The participant of this name as an agent that is not registered yet."""
        participant = self._participants[self._participant_names.index(name)]
        return ChatAgentContainer(addresses.group, addresses.output, participant, self._message_factory)

    async def _init(self) -> None:
        if self._initialized:
            return
        addresses = self._addresses
        manager = self.build_manager(addresses, self._output)
        for name, agent_type in addresses.participants.items():
            await self._register(self.build_container(name, addresses), agent_type, addresses.group)
        await self._register(manager, addresses.manager, addresses.group, addresses.output)
        self._initialized = True

    async def _register(self, agent: BaseAgent, agent_type: str, *topic_types: str) -> None:
        await self._runtime.register_agent_instance(agent, AgentId(agent_type, self._team_id))
        for topic_type in (agent_type, *topic_types):
            await self._runtime.add_subscription(TypeSubscription(topic_type=topic_type, agent_type=agent_type))
        if self._embedded_runtime is None:  # nothing is written as bytes on a runtime of the team's own
            agent.declare_payloads(self._runtime.add_message_serializer)

    # ── running ────────────────────────────────────────────────────────────────────────────────────────────

    async def run(
        self,
        *,
        task: str | BaseChatMessage | Sequence[BaseChatMessage] | None = None,
        cancellation_token: CancellationToken | None = None,
        output_task_messages: bool = True,
    ) -> TaskResult:
        """Run a task to its end, or go on without a new task; raises as `run_stream`."""
        items = self.run_stream(
            task=task, cancellation_token=cancellation_token, output_task_messages=output_task_messages
        )
        result: TaskResult | None = None
        async with aclosing(items):
            async for item in items:
                if isinstance(item, TaskResult):
                    result = item
        if result is None:
            raise TeamError("the run has ended without a result")
        return result

    async def run_stream(
        self,
        *,
        task: str | BaseChatMessage | Sequence[BaseChatMessage] | None = None,
        cancellation_token: CancellationToken | None = None,
        output_task_messages: bool = True,
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | TaskResult, None]:
        """Like `run`, with everything as it happens; the last item is the TaskResult.

        Raises:
            ValueError: the task is not one, or the team is running already.
            TeamError: a participant or the manager failed, or nobody has anything to do; the team can run again.
            asyncio.CancelledError: the token was cancelled.
        """
        messages = task_messages(task, self._message_factory)
        if self._is_running:
            raise ValueError("The team is already running, it cannot run again until it is stopped.")
        self._is_running = True
        shown: list[BaseAgentEvent | BaseChatMessage] = []
        result: TaskResult | None = None
        try:
            await self._init()
            self._last_run += 1
            run = TeamRun(self._last_run, cancellation_token)
            start = GroupChatStart(
                run=run.number,
                messages=None if messages is None else carried(messages),
                output_task_messages=output_task_messages,
            )
            async with aclosing(self._live(run, start)) as items:
                async for item in items:
                    if isinstance(item, GroupChatTermination):
                        result = _result(item, shown)
                        continue
                    yield item
                    if not isinstance(item, ModelClientStreamingChunkEvent):
                        shown.append(item)
        finally:
            self._is_running = False
        if result is not None:  # the run is over by then, so that whoever leaves with it can run the team again
            yield result

    async def _live(
        self, run: TeamRun, start: GroupChatStart
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | GroupChatTermination, None]:
        self._output.run = run
        idle: asyncio.Task[None] | None = None
        last: GroupChatTermination | None = None
        is_left = False
        if self._embedded_runtime is not None:
            self._embedded_runtime.start()
        try:
            manager = AgentId(self._addresses.manager, self._team_id)
            await self._runtime.send_message(start, manager, cancellation_token=run.token)
            if self._embedded_runtime is not None:
                idle = asyncio.create_task(self._embedded_runtime.stop_when_idle())
                idle.add_done_callback(run.runtime_stopped)
            async with aclosing(run.items()) as items:
                async for item in items:
                    if isinstance(item, GroupChatTermination):
                        last = item
                    else:
                        yield item
            if idle is not None:
                await idle  # those who listen have been told the last message, too
            if last is not None:
                yield last
        except GeneratorExit:
            is_left = last is None
            raise
        finally:
            self._output.run = None
            run.release()
            if last is None:
                await self._abandon(run, idle)
            if is_left:
                await self._leave()

    async def _abandon(self, run: TeamRun, idle: asyncio.Task[None] | None) -> None:
        """What still goes on for a run that nobody wants the rest of is cancelled, and what comes of it dropped."""
        if self._embedded_runtime is not None and (idle is None or not idle.done()):
            if idle is not None:
                idle.cancel()
            await self._embedded_runtime.stop()
        run.token.cancel()

    async def _leave(self) -> None:
        """The limits of the next run begin from nothing: nobody waits for the rest of this one."""
        if self._embedded_runtime is None:
            return
        manager_id = AgentId(self._addresses.manager, self._team_id)
        manager = await self._embedded_runtime.try_get_underlying_agent_instance(manager_id, BaseGroupChatManager)
        manager.count_anew_next()

    # ── the team as a whole ────────────────────────────────────────────────────────────────────────────────

    async def reset(self) -> None:
        """Have participants, manager and termination condition forget everything.

        Raises:
            RuntimeError: the team is running.
        """
        if self._is_running:
            raise TeamError("The group chat is currently running. It must be stopped before it can be reset.")
        await self._init()
        await self._tell_all(GroupChatReset())

    async def pause(self) -> None:
        """Call `on_pause` of each participant, at once; what it does is up to them.

        Raises:
            RuntimeError: the team has never been run.
        """
        if not self._initialized:
            raise TeamError("The group chat has not been initialized. It must be run before it can be paused.")
        await self._tell_all(GroupChatPause())

    async def resume(self) -> None:
        """Call `on_resume` of each participant.

        Raises:
            RuntimeError: the team has never been run.
        """
        if not self._initialized:
            raise TeamError("The group chat has not been initialized. It must be run before it can be resumed.")
        await self._tell_all(GroupChatResume())

    async def save_state(self) -> Mapping[str, Any]:
        """The states of participants and manager by name; a run in its middle can be gone on with elsewhere."""
        await self._init()
        states = {
            name: await self._runtime.agent_save_state(AgentId(agent_type, self._team_id))
            for name, agent_type in self._agent_types().items()
        }
        return TeamState(agent_states=at_rest(states, self._group_chat_manager_name)).model_dump()

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over a saved state.

        Raises:
            RuntimeError: the team is running.
            ValueError: the state lacks one of its participants or its manager.
        """
        if self._is_running:
            raise TeamError("The team cannot be loaded while it is running.")
        await self._init()
        states = TeamState.model_validate(state).agent_states
        agent_types = self._agent_types()
        for name in agent_types:
            if name not in states:
                raise ValueError(f"Agent state for {name} not found in the saved state.")
        for name, agent_type in agent_types.items():
            await self._runtime.agent_load_state(AgentId(agent_type, self._team_id), states[name])
        self._last_run = max(self._last_run, ManagerProgress.of(states[self._group_chat_manager_name]).run)

    async def _tell_all(self, told: GroupChatReset | GroupChatPause | GroupChatResume) -> None:
        async with self._awake():
            for agent_type in self._agent_types().values():
                await self._runtime.send_message(told, AgentId(agent_type, self._team_id))

    @asynccontextmanager
    async def _awake(self) -> AsyncGenerator[None]:
        runtime = None if self._is_running else self._embedded_runtime
        was_running, self._is_running = self._is_running, True
        if runtime is not None:
            runtime.start()
        try:
            yield
        finally:
            self._is_running = was_running
            if runtime is not None:
                await runtime.stop_when_idle()

    def _agent_types(self) -> dict[str, str]:
        return {**self._addresses.participants, self._group_chat_manager_name: self._addresses.manager}

    def _needed_runtime(self) -> SingleThreadedAgentRuntime:
        if self._embedded_runtime is None:
            raise TeamError("a team without a runtime of its own was given none")
        return self._embedded_runtime


def _result(end: GroupChatTermination, shown: list[BaseAgentEvent | BaseChatMessage]) -> TaskResult:
    if end.error is not None:
        kind = TeamInterruptedError if end.error.retryable else TeamError
        raise kind(str(end.error), end.error.error_type, end.error.error_message)
    return TaskResult(messages=shown, stop_reason=end.message.content)
