"""`SeatLine`: what a participant says in one turn: shown at once as previews, told to the manager with its answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, cast

from agentopic.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    MessageFactory,
    ModelClientStreamingChunkEvent,
    UserInputRequestedEvent,
)
from agentopic.agentchat.service._payloads import TeamFault, TeamSpeech, TeamWaiting
from agentopic.agentchat.teams._group_chat._carried import Carried
from agentopic.agentchat.teams._group_chat._events import (
    GroupChatAgentResponse,
    GroupChatError,
    GroupChatMessage,
    GroupChatTeamResponse,
)
from agentopic.core import TopicId
from agentopic.core._turn import StepSpec, current_turn
from agentopic.errors import TeamError

PREVIEW: Final = "team"
"""The name of the stream in which a participant's messages are previewed."""

Told = TeamSpeech | TeamWaiting | TeamFault
Tell = Callable[[Told, bool], Awaitable[None]]


class SeatLine:
    """Stands for the runtime towards a participant; `tell` takes what the manager is to know, True: at once."""

    def __init__(self, factory: MessageFactory, tell: Tell) -> None:
        self._factory, self._tell = factory, tell
        self.begin()

    def begin(self) -> None:
        """Begin a turn."""
        self._shown: list[BaseAgentEvent | BaseChatMessage] = []
        self._stream: StepSpec[Any] = _stream()

    async def publish_message(self, message: Any, topic_id: TopicId, **_: Any) -> None:
        """Take what happens in the participant, its answer, or its error."""
        if isinstance(message, GroupChatMessage):
            await self._show(message)
        elif isinstance(message, GroupChatAgentResponse | GroupChatTeamResponse):
            await self._tell(self._speech(message), False)
        elif isinstance(message, GroupChatError):
            await self._tell(TeamFault(run=message.run, name=message.name, error=message.error), False)
        else:
            raise TeamError(f"a participant of a deployed team cannot publish a {type(message).__name__}")

    async def _show(self, shown: GroupChatMessage) -> None:
        message = shown.message.message(self._factory)
        turn = current_turn.get()
        if turn is not None:
            turn.preview(self._stream, {"run": shown.run, "message": message.dump()})
        if isinstance(message, ModelClientStreamingChunkEvent):
            return  # the message they are pieces of follows
        if isinstance(message, UserInputRequestedEvent):
            await self._tell(TeamWaiting(run=shown.run, message=shown.message), True)
            return
        self._shown.append(message)

    def _speech(self, answer: GroupChatAgentResponse | GroupChatTeamResponse) -> TeamSpeech:
        is_team = isinstance(answer, GroupChatTeamResponse)
        items = answer.messages if is_team else [*answer.inner_messages, answer.chat_message]
        said = [item.message(self._factory) for item in items]
        unique = {message.id: message for message in (*self._shown, *said)}
        places = {key: place for place, key in enumerate(unique)}
        return TeamSpeech(
            run=answer.run,
            name=answer.name,
            messages=[Carried(message) for message in unique.values()],
            shown=[places[message.id] for message in self._shown],
            said=[places[message.id] for message in said],
            is_team=is_team,
            stop_reason=answer.stop_reason if is_team else None,
        )


def previewed(data: Any) -> tuple[int, Mapping[str, Any]] | None:
    """The run and the message of a participant's preview; None for any other preview."""
    match data:
        case {"name": "team", "item": {"run": int(run), "message": {"id": str()} as message}}:
            return run, cast("Mapping[str, Any]", message)
        case _:
            return None


def answer_of(speech: TeamSpeech) -> GroupChatAgentResponse | GroupChatTeamResponse:
    """The answer in a speech, as managers take it."""
    said = [speech.messages[place] for place in speech.said]
    if speech.is_team:
        return GroupChatTeamResponse(
            run=speech.run, name=speech.name, messages=said, stop_reason=speech.stop_reason, shown=True
        )
    *inner, chat_message = said
    return GroupChatAgentResponse(
        run=speech.run, name=speech.name, chat_message=chat_message, inner_messages=inner, shown=True
    )


def _stream() -> StepSpec[Any]:
    # Only named in previews, never run.
    return StepSpec(kind="effect", name=PREVIEW, input=b"", encode=lambda _: b"null", decode=lambda _: None)
