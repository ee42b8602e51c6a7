"""`RemoteTeam`: a deployed team as its callers see it, from anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Final, TypeVar

from agentopic.agentchat.base import TaskResult
from agentopic.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    MessageFactory,
    UserInputRequestedEvent,
)
from agentopic.agentchat.service._addresses import ServiceAddresses
from agentopic.agentchat.service._payloads import (
    SavedPart,
    TeamBegin,
    TeamCancel,
    TeamForget,
    TeamLoad,
    TeamRead,
    TeamSave,
    TeamStatus,
)
from agentopic.agentchat.service._remote_run import RemoteRun
from agentopic.agentchat.service._run_control import Question, announced_question, control_of, open_questions
from agentopic.agentchat.service._team_ears import TeamEars
from agentopic.agentchat.state import TeamState
from agentopic.agentchat.teams._group_chat._carried import carried
from agentopic.agentchat.teams._group_chat._public_state import at_rest
from agentopic.agentchat.teams._group_chat._task_messages import task_messages
from agentopic.core import AgentId, AgentRuntime, CancellationToken
from agentopic.core._message_id import new_message_id
from agentopic.core._turn import current_turn
from agentopic.errors import ContextError, RequestCancelledError, RequestError, RequestTimeoutError, TeamError

T = TypeVar("T")

QUESTION_SECONDS: Final = 30.0
"""How long an announced question may take to be open."""
SETTLE_SECONDS: Final = 0.05
"""How long a participant is given to hear what the manager has told it, before it is asked again for its state."""


class RemoteTeam:
    """Runs tasks of a team that is served by `TeamService`, wherever that is; used like a team.

    A conversation is what the team remembers from run to run: this object has one of its own, unless `conversation`
    names one here or at a call. It is named, not held: any process may run, follow or cancel it by its id, and the run
    goes on when its caller is gone. `custom_message_types` are those of the team. For code outside of durable turns.
    """

    def __init__(
        self,
        name: str,
        runtime: AgentRuntime,
        *,
        conversation: str | None = None,
        custom_message_types: Sequence[type[BaseAgentEvent | BaseChatMessage]] = (),
    ) -> None:
        self._addresses = ServiceAddresses.of(name)
        self._runtime = runtime
        self.conversation = conversation or new_message_id()
        self._factory = MessageFactory()
        for message_type in custom_message_types:
            self._factory.register(message_type)

    @property
    def name(self) -> str:
        """The name the team is deployed under."""
        return self._addresses.team

    # ── running ────────────────────────────────────────────────────────────────────────────────────────────

    async def run(
        self,
        *,
        task: str | BaseChatMessage | Sequence[BaseChatMessage] | None = None,
        cancellation_token: CancellationToken | None = None,
        output_task_messages: bool = True,
        conversation: str | None = None,
        run_name: str | None = None,
    ) -> TaskResult:
        """Run a task to its end; as `run_stream`."""
        return await _last(
            self.run_stream(
                task=task,
                cancellation_token=cancellation_token,
                output_task_messages=output_task_messages,
                conversation=conversation,
                run_name=run_name,
            )
        )

    async def run_stream(
        self,
        *,
        task: str | BaseChatMessage | Sequence[BaseChatMessage] | None = None,
        cancellation_token: CancellationToken | None = None,
        output_task_messages: bool = True,
        conversation: str | None = None,
        run_name: str | None = None,
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | TaskResult, None]:
        """Run a task and give everything as it happens; the last item is the TaskResult, of committed messages only.

        Without a task the conversation goes on, and a run that is under way is joined from its beginning. A
        `run_name` names the run: asked for again under its name, by whomever, it is joined, also when it is over.
        A caller that goes away leaves the run to go on; a cancelled token cancels it.

        Raises:
            ValueError: the task is none.
            TeamError: a participant or the manager failed, or another run is under way.
            RequestCancelledError: the run was cancelled.
            asyncio.CancelledError: the token was cancelled.
            MissingTopicError: no team of this name has ever been served.
            RequestTimeoutError: the team did not answer before the request's deadline.
        """
        messages = task_messages(task, self._factory)
        begin = TeamBegin(
            messages=None if messages is None else carried(messages),
            output_task_messages=output_task_messages,
            run_name=run_name,
        )
        async with aclosing(self._followed(begin, conversation, cancellation_token)) as items:
            async for item in items:
                yield item

    async def join(
        self, conversation: str | None = None
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | TaskResult, None]:
        """Give the whole last run of a conversation, from its beginning, whether it goes on or is over.

        Raises:
            TeamError: it has failed, or there was none.
            RequestCancelledError: it was cancelled.
            MissingTopicError: no team of this name has ever been served.
            RequestTimeoutError: the team did not answer before the request's deadline.
        """
        async with aclosing(self._followed(TeamRead(), conversation, None)) as items:
            async for item in items:
                yield item

    async def _followed(
        self, ask: TeamBegin | TeamRead, conversation: str | None, token: CancellationToken | None
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | TaskResult, None]:
        key = conversation or self.conversation
        # Asked first: a team that nobody has ever served is no topic to listen to.
        await self._asked(TeamRead(start=1 << 60), key)
        async with self._ears.open(key) as ear:
            status = await self._asked(ask, key)
            if not status.run:
                raise TeamError(f"conversation {key!r} of team {self.name!r} has had no run")
            link = ear.listen_to(token)

            async def read(run: int, start: int) -> TeamStatus:
                return await self._asked(TeamRead(run=run, start=start), key)

            try:
                async with aclosing(RemoteRun(status.run, self._factory, ear, read).follow(status)) as items:
                    async for item in items:
                        yield item
            except asyncio.CancelledError:
                if token is not None and token.is_cancelled():
                    await self._cancel(key, status.run)
                raise
            finally:
                link.cancel()

    # ── the conversation as a whole ────────────────────────────────────────────────────────────────────────

    async def cancel(self, conversation: str | None = None) -> None:
        """End the run that is under way, if any, and what its participants do; the team can run again at once.

        Raises:
            RequestTimeoutError: the team did not answer before the request's deadline.
        """
        await self._cancel(conversation or self.conversation, None)

    async def pause(self, conversation: str | None = None) -> None:
        """Have no participant begin to speak until `resume`, whatever is restarted; who speaks ends its turn.

        Raises:
            TeamError: the runtime cannot do this.
        """
        for seat in await self._seats(conversation):
            await control_of(self._runtime).pause(seat)

    async def resume(self, conversation: str | None = None) -> None:
        """Let the participants go on.

        Raises:
            TeamError: the runtime cannot do this.
        """
        for seat in await self._seats(conversation):
            await control_of(self._runtime).resume(seat)

    async def reset(self, conversation: str | None = None) -> None:
        """Have participants, manager and termination condition forget everything.

        Raises:
            TeamError: the team is running.
        """
        await self._asked(TeamForget(), conversation or self.conversation)

    async def save_state(self, conversation: str | None = None) -> Mapping[str, Any]:
        """The states of participants and manager by name, as a team's own `save_state` gives them.

        Raises:
            RequestTimeoutError: one of them did not answer before the request's deadline.
        """
        key = conversation or self.conversation
        status, manager = await self._asked(TeamRead(start=1 << 60), key), await self._saved(self.name, key)
        parts = await asyncio.gather(
            *(self._seat_state(name, key, manager.notices[name]) for name in status.participants)
        )
        states = {**dict(zip(status.participants, parts, strict=True)), status.manager: manager.state}
        return TeamState(agent_states=at_rest(states, status.manager)).model_dump()

    async def load_state(self, state: Mapping[str, Any], conversation: str | None = None) -> None:
        """Take over a state that a team has saved, here, in a script, or in AutoGen.

        Raises:
            TeamError: the team is running, or the state lacks one of its participants or its manager.
        """
        states = TeamState.model_validate(state).agent_states
        await self._asked(TeamLoad(agent_states=states), conversation or self.conversation)

    # ── people ─────────────────────────────────────────────────────────────────────────────────────────────

    async def questions(self, conversation: str | None = None) -> Sequence[Question]:
        """What participants ask of people, oldest first.

        Raises:
            TeamError: the runtime cannot do this.
            ConfigError: this process has no journal to ask.
        """
        return await open_questions(control_of(self._runtime), await self._seats(conversation))

    async def answer(
        self, question: UserInputRequestedEvent | str, answer: Any, *, conversation: str | None = None
    ) -> None:
        """Answer a question: the event that announced it, or its id; the first answer wins.

        Raises:
            TeamError: no such question is open, or the runtime cannot do this.
            ConfigError: this process has no journal to ask.
        """
        control, seats = control_of(self._runtime), await self._seats(conversation)
        asked = question if isinstance(question, str) else question.request_id
        found = await announced_question(control, seats, asked, QUESTION_SECONDS)
        await control.answer(found.id, found.agent, answer)

    # ── asking ─────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _ears(self) -> TeamEars:
        return TeamEars.of(self._runtime, self.name, self._addresses.output)

    async def _asked(self, message: Any, conversation: str) -> TeamStatus:
        status = await self._sent(message, AgentId(self.name, conversation), TeamStatus)
        if status.refused:
            raise TeamError(status.refused)
        return status

    async def _saved(self, agent_type: str, conversation: str) -> SavedPart:
        return await self._sent(TeamSave(), AgentId(agent_type, conversation), SavedPart)

    async def _sent(self, message: Any, recipient: AgentId, answered: type[T]) -> T:
        if current_turn.get() is not None:
            raise ContextError(
                "a RemoteTeam is for code outside of durable turns: inside of one use a team, or a TeamTool"
            )
        self._ears.declare()
        try:
            answer = await self._runtime.send_message(message, recipient)
        except RequestError as exc:
            if not _is_remote(exc):
                raise
            raise TeamError(str(exc) or exc.error_type, exc.error_type, str(exc) or exc.error_type) from exc
        if not isinstance(answer, answered):
            raise TeamError(f"{recipient} is no team of this version: it answers with a {type(answer).__name__}")
        return answer

    async def _cancel(self, conversation: str, run: int | None) -> None:
        status = await self._asked(TeamCancel(run=run), conversation)
        control = getattr(self._runtime, "control", None)
        if control is not None and status.cause:
            await control.cancel_run(status.cause)

    async def _seat_state(self, name: str, conversation: str, notices: int) -> Mapping[str, Any]:
        while True:
            part = await self._saved(self._addresses.seat(name), conversation)
            if part.notices[name] >= notices:
                return part.state
            await asyncio.sleep(SETTLE_SECONDS)

    async def _seats(self, conversation: str | None) -> list[AgentId]:
        key = conversation or self.conversation
        status = await self._asked(TeamRead(start=1 << 60), key)
        return [AgentId(self._addresses.seat(name), key) for name in status.participants]


async def _last(items: AsyncGenerator[BaseAgentEvent | BaseChatMessage | TaskResult, None]) -> TaskResult:
    async with aclosing(items):
        async for item in items:
            if isinstance(item, TaskResult):
                return item
    raise TeamError("the run has ended without a result")


def _is_remote(error: RequestError) -> bool:
    """Whether the team has failed, rather than the way to it."""
    return bool(error.error_type) and not isinstance(error, RequestTimeoutError | RequestCancelledError)
