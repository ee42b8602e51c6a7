"""`ChatAgentContainer`: one participant of a team, an agent or a team, on the runtime."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from agentopic.agentchat.base import ChatAgent, Response, TaskResult, Team
from agentopic.agentchat.messages import BaseAgentEvent, BaseChatMessage, MessageFactory
from agentopic.agentchat.state import ChatAgentContainerState
from agentopic.agentchat.teams._group_chat._carried import Carried, carried
from agentopic.agentchat.teams._group_chat._events import (
    GroupChatAgentResponse,
    GroupChatError,
    GroupChatMessage,
    GroupChatPause,
    GroupChatRequestPublish,
    GroupChatReset,
    GroupChatResume,
    GroupChatStart,
    GroupChatTeamResponse,
    SerializableException,
)
from agentopic.agentchat.teams._group_chat._outcome import Failure
from agentopic.agentchat.teams._group_chat._sequential_routed_agent import SequentialRoutedAgent
from agentopic.agentchat.teams._group_chat._speech import answer_of
from agentopic.core import (
    CancellationToken,
    MessageContext,
    TopicId,
    event,
    rpc,
    trace_invoke_agent_span,
)
from agentopic.core._turn import step_path
from agentopic.errors import CantHandleError

_SEQUENTIAL = (
    GroupChatStart,
    GroupChatRequestPublish,
    GroupChatReset,
    GroupChatAgentResponse,
    GroupChatTeamResponse,
)


class ChatAgentContainer(SequentialRoutedAgent):
    """Collects what others say, and has its agent answer it when the manager asks for it.

    All it remembers is in `save_state`. It drops what belongs to an earlier run than it has seen. With `live`, inner
    messages go out as they happen; otherwise with the answer alone. With `reports_errors`, an error of the agent is
    told to the manager; otherwise it is raised, for a runtime that retries, and told by `on_fault`.
    """

    def __init__(
        self,
        parent_topic_type: str,
        output_topic_type: str,
        agent: ChatAgent | Team,
        message_factory: MessageFactory,
    ) -> None:
        super().__init__(agent.description, _SEQUENTIAL)
        self._parent_topic_type = parent_topic_type
        self._output_topic_type = output_topic_type
        self._agent = agent
        self._message_factory = message_factory
        self.live = True
        self.reports_errors = True
        self._run = 0
        self._message_buffer: list[BaseChatMessage] = []

    @event
    async def handle_start(self, message: GroupChatStart, ctx: MessageContext) -> None:
        """A run has begun with these messages."""
        if self._is_current(message.run):
            self._buffer(message.messages or ())

    @event
    async def handle_agent_response(
        self, message: GroupChatAgentResponse | GroupChatTeamResponse, ctx: MessageContext
    ) -> None:
        """Another participant has spoken."""
        if message.name == self._agent.name or not self._is_current(message.run):
            return
        self._buffer([message.chat_message] if isinstance(message, GroupChatAgentResponse) else message.messages)

    @event
    async def handle_request(self, message: GroupChatRequestPublish, ctx: MessageContext) -> None:
        """Speak."""
        if not self._is_current(message.run):
            return
        if not self.reports_errors:
            await self._speak(ctx.cancellation_token)
            return
        with Failure(ctx.cancellation_token) as failure:
            await self._speak(ctx.cancellation_token)
        if failure.error is not None:
            await self.on_fault(failure.error)

    @event
    async def handle_error(self, message: GroupChatError, ctx: MessageContext) -> None:
        """Another participant has failed; that is the manager's concern."""

    @rpc
    async def handle_reset(self, message: GroupChatReset, ctx: MessageContext) -> None:
        """Forget the conversation."""
        self._message_buffer.clear()
        if isinstance(self._agent, Team):
            await self._agent.reset()
        else:
            await self._agent.on_reset(ctx.cancellation_token)

    @rpc
    async def handle_pause(self, message: GroupChatPause, ctx: MessageContext) -> None:
        """Pause, also while the agent speaks."""
        if isinstance(self._agent, Team):
            await self._agent.pause()
        else:
            await self._agent.on_pause(ctx.cancellation_token)

    @rpc
    async def handle_resume(self, message: GroupChatResume, ctx: MessageContext) -> None:
        """Go on."""
        if isinstance(self._agent, Team):
            await self._agent.resume()
        else:
            await self._agent.on_resume(ctx.cancellation_token)

    async def on_unhandled_message(self, message: Any, ctx: MessageContext) -> None:
        """Refuse; CantHandleError."""
        raise CantHandleError(f"participant {self._agent.name!r} of a team has no use for a {type(message).__name__}")

    async def on_fault(self, error: BaseException) -> None:
        """Tell the manager that this participant has failed."""
        told = SerializableException.from_exception(error)
        await self._tell(GroupChatError(run=self._run, name=self._agent.name, error=told), self._parent_topic_type)

    async def save_state(self) -> Mapping[str, Any]:
        """The participant's state and what it has not been told yet, as AutoGen's, with the number of the run."""
        state = ChatAgentContainerState(
            agent_state=await self._agent.save_state(),
            message_buffer=[message.dump() for message in self._message_buffer],
        )
        return {**state.model_dump(), "run": self._run}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over a saved state; ValueError when it holds messages of classes that the team does not know."""
        loaded = ChatAgentContainerState.model_validate(state)
        self._message_buffer = []
        self._buffer([Carried(message) for message in loaded.message_buffer])
        self._run = int(state.get("run", self._run))
        await self._agent.load_state(loaded.agent_state)

    # ── speaking ───────────────────────────────────────────────────────────────────────────────────────────

    async def _speak(self, token: CancellationToken) -> None:
        run, agent = self._run, self._agent

        async def show(message: BaseAgentEvent | BaseChatMessage) -> None:
            if not self._message_factory.is_registered(type(message)):
                raise ValueError(f"Message type {type(message)} is not registered.")
            if self.live:
                await self._tell(GroupChatMessage(run=run, message=Carried(message)), self._output_topic_type, token)

        with (
            step_path(agent.name),
            trace_invoke_agent_span(agent_name=agent.name, agent_description=agent.description, agent_id=str(self.id)),
        ):
            answer = await answer_of(agent, self._message_buffer, token, show)
        self._message_buffer = []
        await self._tell(self._as_payload(answer, run), self._parent_topic_type, token)

    def _as_payload(self, answer: Response | TaskResult, run: int) -> GroupChatAgentResponse | GroupChatTeamResponse:
        if isinstance(answer, TaskResult):
            return GroupChatTeamResponse(
                run=run,
                name=self._agent.name,
                messages=carried(answer.messages),
                stop_reason=answer.stop_reason,
                shown=self.live,
            )
        return GroupChatAgentResponse(
            run=run,
            name=self._agent.name,
            chat_message=Carried(answer.chat_message),
            inner_messages=carried(answer.inner_messages or ()),
            shown=self.live,
        )

    async def _tell(self, told: Any, topic_type: str, token: CancellationToken | None = None) -> None:
        await self.publish_message(told, TopicId(topic_type, self.id.key), cancellation_token=token)

    # ── listening ──────────────────────────────────────────────────────────────────────────────────────────

    def _is_current(self, run: int) -> bool:
        if run < self._run:
            return False
        self._run = run
        return True

    def _buffer(self, messages: Iterable[Carried]) -> None:
        for item in messages:
            message = item.message(self._message_factory)
            if isinstance(message, BaseChatMessage):
                self._message_buffer.append(message)
