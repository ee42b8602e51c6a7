"""What the manager and the participants of a team tell each other; each payload can travel as bytes.

`run` is the number of the run a payload belongs to: who has seen a later run drops it.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from typing import Self

from agentopic.agentchat.messages import StopMessage
from agentopic.agentchat.teams._group_chat._carried import Carried
from agentopic.core._payload import payload
from agentopic.errors import AgentopicError


@dataclass(frozen=True, slots=True, kw_only=True)
class SerializableException:
    """An error, as text."""

    error_type: str
    error_message: str
    traceback: str | None = None
    retryable: bool = False
    """Whether another attempt may end differently."""

    @classmethod
    def from_exception(cls, error: BaseException) -> Self:
        """The class, text and traceback of an error."""
        return cls(
            error_type=type(error).__name__,
            error_message=str(error),
            traceback="".join(traceback.format_exception(error)),
            retryable=not isinstance(error, AgentopicError) or error.retryable,
        )

    def __str__(self) -> str:
        shown = f"{self.error_type}: {self.error_message}"
        return f"{shown}\nTraceback:\n{self.traceback}" if self.traceback else shown


@payload("agentopic.team.Start.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class GroupChatStart:
    """To the manager: begin a run; from the manager to the participants: it has begun, with these messages."""

    run: int = 0
    """0: the manager numbers it."""
    messages: list[Carried] | None = None
    output_task_messages: bool = True
    """Whether the messages are part of what the team puts out."""


@payload("agentopic.team.Request.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class GroupChatRequestPublish:
    """To a participant: it is your group-chat turn."""

    run: int


@payload("agentopic.team.Message.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class GroupChatMessage:
    """From a participant that speaks to the manager: this is happening."""

    run: int
    message: Carried


@payload("agentopic.team.AgentResponse.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class GroupChatAgentResponse:
    """From an agent to all: its answer."""

    run: int
    name: str
    chat_message: Carried
    inner_messages: list[Carried] = field(default_factory=list[Carried])
    shown: bool = True
    """Whether each message went out as a GroupChatMessage before."""


@payload("agentopic.team.TeamResponse.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class GroupChatTeamResponse:
    """From a team inside the team to all: its result."""

    run: int
    name: str
    messages: list[Carried]
    stop_reason: str | None = None
    shown: bool = True
    """Whether each message went out as a GroupChatMessage before."""


@payload("agentopic.team.Error.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class GroupChatError:
    """From a participant to all: it failed."""

    run: int
    name: str
    error: SerializableException


@payload("agentopic.team.Termination.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class GroupChatTermination:
    """The last that a manager puts out in a run."""

    run: int
    message: StopMessage
    error: SerializableException | None = None


@payload("agentopic.team.Begun.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class GroupChatBegun:
    """The first that a manager puts out in a run."""

    run: int


@payload("agentopic.team.Reset.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class GroupChatReset:
    """Forget the conversation."""


@payload("agentopic.team.Pause.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class GroupChatPause:
    """Pause."""


@payload("agentopic.team.Resume.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class GroupChatResume:
    """Go on."""
