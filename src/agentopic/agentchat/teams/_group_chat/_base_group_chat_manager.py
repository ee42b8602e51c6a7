"""`BaseGroupChatManager`: runs a team's conversation; who speaks next is left to each kind of team."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

from agentopic.agentchat.base import TerminationCondition
from agentopic.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    MessageFactory,
    SelectSpeakerEvent,
    StopMessage,
)
from agentopic.agentchat.state import BaseGroupChatManagerState
from agentopic.agentchat.teams._group_chat._carried import Carried, carried
from agentopic.agentchat.teams._group_chat._events import (
    GroupChatAgentResponse,
    GroupChatBegun,
    GroupChatError,
    GroupChatMessage,
    GroupChatPause,
    GroupChatRequestPublish,
    GroupChatReset,
    GroupChatResume,
    GroupChatStart,
    GroupChatTeamResponse,
    GroupChatTermination,
    SerializableException,
)
from agentopic.agentchat.teams._group_chat._message_thread import MessageThread
from agentopic.agentchat.teams._group_chat._outcome import Failure
from agentopic.agentchat.teams._group_chat._progress import ManagerProgress
from agentopic.agentchat.teams._group_chat._sequential_routed_agent import SequentialRoutedAgent
from agentopic.core import CancellationToken, MessageContext, TopicId, event, rpc
from agentopic.core._turn import step_path
from agentopic.errors import CantHandleError, PayloadError, TeamError

_SEQUENTIAL = (
    GroupChatStart,
    GroupChatAgentResponse,
    GroupChatTeamResponse,
    GroupChatMessage,
    GroupChatError,
    GroupChatReset,
)


class TeamOutput(Protocol):
    """Where a manager puts what the team says, in order; the only way out of a team.

    A run is one GroupChatBegun, messages and events, and one GroupChatTermination.
    """

    async def put(self, item: BaseAgentEvent | BaseChatMessage | GroupChatBegun | GroupChatTermination, /) -> None:
        """Take the next item."""
        ...


class BaseGroupChatManager(SequentialRoutedAgent, ABC):
    """Keeps the conversation, asks speakers to speak, counts group-chat turns and asks the termination condition.

    A kind of team gives `select_speaker`, `validate_group_state`, `reset` and its part of the state. All it remembers
    is in `save_state`, so that it may be put away and made anew between any two messages. With `reports_errors`, an
    error ends the run and is told to the caller; otherwise it is raised, for a runtime that retries, and told by
    `on_fault`.

    Raises:
        ValueError: names and topics of participants do not match or are not unique, or `max_turns` is below 1.
    """

    state_class: ClassVar[type[BaseGroupChatManagerState]] = BaseGroupChatManagerState

    def __init__(  # noqa: PLR0917 - AutoGen's signature
        self,
        name: str,
        group_topic_type: str,
        output_topic_type: str,
        participant_topic_types: list[str],
        participant_names: list[str],
        participant_descriptions: list[str],
        output_message_queue: TeamOutput,
        termination_condition: TerminationCondition | None,
        max_turns: int | None,
        message_factory: MessageFactory,
        emit_team_events: bool = False,
    ) -> None:
        super().__init__("Runs a team's conversation", _SEQUENTIAL)
        _check(group_topic_type, output_topic_type, participant_topic_types, participant_names, max_turns)
        self._name = name
        self._group_topic_type = group_topic_type
        self._output_topic_type = output_topic_type
        self._participant_names = participant_names
        self._participant_name_to_topic_type = dict(zip(participant_names, participant_topic_types, strict=True))
        self._participant_descriptions = participant_descriptions
        self._output_message_queue = output_message_queue
        self._termination_condition = termination_condition
        self._max_turns = max_turns
        self._message_factory = message_factory
        self._emit_team_events = emit_team_events
        self.reports_errors = True
        self.token = CancellationToken()
        """The token of the message that is being handled."""
        self._thread = MessageThread()
        self._current_turn = 0
        self._progress = ManagerProgress()
        self._is_left = False

    @property
    def run(self) -> int:
        """The number of the last run that was begun; 0: none."""
        return self._progress.run

    @property
    def is_running(self) -> bool:
        """Whether that run goes on."""
        return self._progress.is_open

    def begin_number(self, run: int) -> None:
        """Have the run of this number go on, though nothing is asked of anybody yet."""
        self._progress.begin(run)

    def end_number(self) -> None:
        """End the run without a word; what still comes of it is dropped."""
        self._progress.end()

    def count_anew_next(self) -> None:
        """Have the limits of the next run count from nothing, whatever comes of this one until then."""
        self._is_left = True

    async def _count_anew(self) -> None:
        self._is_left = False
        self._current_turn = 0
        if self._termination_condition is not None:
            await self._termination_condition.reset()

    def awaits(self, run: int, name: str) -> bool:
        """Whether a participant was asked to speak in this run, and has not yet."""
        return self._progress.is_of(run) and name in self._progress.active_speakers

    # ── what a kind of team decides ────────────────────────────────────────────────────────────────────────

    @abstractmethod
    async def validate_group_state(self, messages: list[BaseChatMessage] | None) -> None:
        """Refuse by a ValueError to begin a run with these messages."""

    @abstractmethod
    async def select_speaker(self, thread: Sequence[BaseAgentEvent | BaseChatMessage]) -> list[str] | str:
        """The names of those who speak next, side by side."""

    @abstractmethod
    async def reset(self) -> None:
        """Forget who has spoken."""

    async def update_message_thread(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> None:
        """Take new messages into the conversation."""
        self._thread.extend(messages)

    def resume_interrupted(self, names: Sequence[str]) -> None:
        """Learn who was asked to speak when the last run was cut short, before the next one begins."""

    def completed(self) -> StopMessage | None:
        """Say that there is nothing left to do, before the termination condition is asked."""
        return None

    def selection_state(self) -> Mapping[str, Any]:
        """What this kind of team adds to the state, by the fields of `state_class` or its own names."""
        return {}

    async def load_selection_state(self, state: BaseGroupChatManagerState, saved: Mapping[str, Any]) -> None:
        """Take over what `selection_state` gave."""

    # ── messages ───────────────────────────────────────────────────────────────────────────────────────────

    @rpc
    async def handle_start(self, message: GroupChatStart, ctx: MessageContext) -> None:
        """Begin a run; raises what the kind of team refuses, and what the first choice of a speaker raises."""
        run = message.run or self._progress.run + 1
        if run <= self._progress.run:
            return
        self.resume_interrupted(self._progress.active_speakers)
        if self._is_left:
            await self._count_anew()
        self._progress.begin(run)
        await self._output_message_queue.put(GroupChatBegun(run=run))
        if self._termination_condition is not None and self._termination_condition.terminated:
            await self._end(StopMessage(content="The group chat has already terminated.", source=self._name))
            return
        messages = [self._chat_message(item) for item in message.messages or ()]
        is_begun = False
        try:
            with step_path(self._name):
                await self.begin_run(message, messages, ctx.cancellation_token)
            is_begun = True
        finally:
            if not is_begun:
                self._progress.end()

    @event
    async def handle_agent_response(
        self, message: GroupChatAgentResponse | GroupChatTeamResponse, ctx: MessageContext
    ) -> None:
        """A participant has spoken."""
        if not self._progress.is_of(message.run) or message.name not in self._progress.active_speakers:
            return
        if not self.reports_errors:
            await self._hear(message, ctx.cancellation_token)
            return
        with Failure(ctx.cancellation_token) as failure:
            await self._hear(message, ctx.cancellation_token)
        if failure.error is not None:
            await self.on_fault(failure.error)

    @event
    async def handle_group_chat_message(self, message: GroupChatMessage, ctx: MessageContext) -> None:
        """Something is happening in a participant that speaks."""
        if self._progress.is_of(message.run):
            await self._output_message_queue.put(message.message.message(self._message_factory))

    @event
    async def handle_group_chat_error(self, message: GroupChatError, ctx: MessageContext) -> None:
        """A participant has failed; so has the run."""
        if self._progress.is_of(message.run):
            await self._fail(message.error)

    @rpc
    async def handle_reset(self, message: GroupChatReset, ctx: MessageContext) -> None:
        """Forget everything."""
        self._thread.clear()
        self._progress.forget()
        await self._count_anew()
        await self.reset()

    @rpc
    async def handle_pause(self, message: GroupChatPause, ctx: MessageContext) -> None:
        """The participants are told themselves."""

    @rpc
    async def handle_resume(self, message: GroupChatResume, ctx: MessageContext) -> None:
        """The participants are told themselves."""

    @event
    async def handle_group_start(self, message: GroupChatStart, ctx: MessageContext) -> None:
        """What it told the participants itself."""

    async def on_unhandled_message(self, message: Any, ctx: MessageContext) -> None:
        """Refuse; CantHandleError."""
        raise CantHandleError(f"the manager of a team has no use for a {type(message).__name__}")

    async def on_fault(self, error: BaseException) -> None:
        """End the run with this error."""
        await self._fail(SerializableException.from_exception(error))

    # ── a run ──────────────────────────────────────────────────────────────────────────────────────────────

    async def begin_run(self, start: GroupChatStart, messages: list[BaseChatMessage], token: CancellationToken) -> None:
        """Take the messages a run begins with, and choose the first speakers."""
        await self.validate_group_state(messages)
        if messages:
            await self.publish_start(start, messages, token)
            await self.update_message_thread(messages)
            if await self._is_over(messages):
                return
        await self._transition_to_next_speakers(token)

    async def publish_start(
        self, start: GroupChatStart, messages: list[BaseChatMessage], token: CancellationToken
    ) -> None:
        """Put the messages a run begins with out, and tell all participants."""
        if start.output_task_messages:
            for message in messages:
                await self._output_message_queue.put(message)
        await self.tell_group(GroupChatStart(run=self._progress.run, messages=carried(messages)), token)

    async def tell_group(self, told: Any, token: CancellationToken) -> None:
        """Tell all participants."""
        topic = TopicId(self._group_topic_type, self.id.key)
        await self.publish_message(told, topic, cancellation_token=token)

    async def hear(self, message: GroupChatAgentResponse | GroupChatTeamResponse, token: CancellationToken) -> None:
        """Take what a participant said into the conversation; once all who were asked have spoken, go on."""
        delta = self.said(message)
        await self.update_message_thread(delta)
        self._progress.active_speakers.remove(message.name)
        if self._progress.active_speakers or await self._is_over(delta, counts=True):
            return
        await self._transition_to_next_speakers(token)

    def said(self, message: GroupChatAgentResponse | GroupChatTeamResponse) -> list[BaseAgentEvent | BaseChatMessage]:
        """All that a participant said, inner messages first."""
        if isinstance(message, GroupChatAgentResponse):
            items = [*message.inner_messages, message.chat_message]
        else:
            items = message.messages
        return [item.message(self._message_factory) for item in items]

    async def request(self, names: Sequence[str], token: CancellationToken) -> None:
        """Ask participants to speak; TeamError when there is none of a name."""
        for name in names:
            if name not in self._participant_name_to_topic_type:
                raise TeamError(f"Speaker {name} not found in participant names.")
        if self._emit_team_events:
            await self._output_message_queue.put(SelectSpeakerEvent(content=[*names], source=self._name))
        asked = GroupChatRequestPublish(run=self._progress.run)
        for name in names:
            self._progress.active_speakers.append(name)
            topic = TopicId(self._participant_name_to_topic_type[name], self.id.key)
            await self.publish_message(asked, topic, cancellation_token=token)

    async def _hear(self, message: GroupChatAgentResponse | GroupChatTeamResponse, token: CancellationToken) -> None:
        if not message.shown:
            for item in self.said(message):
                await self._output_message_queue.put(item)
        with step_path(self._name):
            await self.hear(message, token)

    async def _transition_to_next_speakers(self, token: CancellationToken) -> None:
        self.token = token
        chosen = await self.select_speaker(self._thread.messages)
        await self.request([chosen] if isinstance(chosen, str) else chosen, token)

    async def _is_over(self, delta: Sequence[BaseAgentEvent | BaseChatMessage], *, counts: bool = False) -> bool:
        stop = self.completed() or await self._asked_condition(delta)
        if stop is None and counts:
            self._current_turn += 1
            if self._max_turns is not None and self._current_turn >= self._max_turns:
                stop = StopMessage(content=f"Maximum number of turns {self._max_turns} reached.", source=self._name)
        if stop is None:
            return False
        await self.stop(stop)
        return True

    async def _asked_condition(self, delta: Sequence[BaseAgentEvent | BaseChatMessage]) -> StopMessage | None:
        return None if self._termination_condition is None else await self._termination_condition(delta)

    async def stop(self, stop: StopMessage) -> None:
        """End the run; the next one counts its group-chat turns and what the condition looks at anew."""
        if self._termination_condition is not None:
            await self._termination_condition.reset()
        self._current_turn = 0
        await self._end(stop)

    async def _end(self, stop: StopMessage, error: SerializableException | None = None) -> None:
        self._progress.end()
        await self._output_message_queue.put(GroupChatTermination(run=self._progress.run, message=stop, error=error))

    async def _fail(self, error: SerializableException) -> None:
        await self._end(StopMessage(content="An error occurred in the group chat.", source=self._name), error)

    def _chat_message(self, item: Carried) -> BaseChatMessage:
        message = item.message(self._message_factory)
        if not isinstance(message, BaseChatMessage):
            raise PayloadError(f"a run begins with chat messages, not with a {type(message).__name__}")
        return message

    # ── state ──────────────────────────────────────────────────────────────────────────────────────────────

    async def save_state(self) -> Mapping[str, Any]:
        """AutoGen's state, and under `progress` what a run in its middle needs to go on."""
        condition = self._termination_condition
        state = self.state_class(message_thread=self._thread.dump(), current_turn=self._current_turn)
        return {
            **state.model_dump(),
            **self.selection_state(),
            "progress": self._progress.dump(None if condition is None else await condition.save_state()),
        }

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over a saved state, of AutoGen, too; ValueError when it holds messages of unknown classes."""
        loaded = self.state_class.model_validate(state)
        self._thread.load(loaded.message_thread, self._message_factory)
        self._current_turn = loaded.current_turn
        await self.load_selection_state(loaded, state)
        condition = self._progress.load(state)
        if self._termination_condition is not None and condition is not None:
            await self._termination_condition.load_state(condition)


def _check(
    group_topic_type: str,
    output_topic_type: str,
    participant_topic_types: Sequence[str],
    participant_names: Sequence[str],
    max_turns: int | None,
) -> None:
    if max_turns is not None and max_turns <= 0:
        raise ValueError("The maximum number of turns must be greater than 0.")
    if len(participant_topic_types) != len(participant_names):
        raise ValueError("each participant needs one name and one topic type")
    if len(set(participant_topic_types)) != len(participant_topic_types):
        raise ValueError("The participant topic types must be unique.")
    if {group_topic_type, output_topic_type} & set(participant_topic_types):
        raise ValueError("the topic types of the group and of its output belong to no participant")
