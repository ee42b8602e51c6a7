"""What travels between the manager, the participants and the callers of a deployed team."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from agentopic.agentchat.teams._group_chat._carried import Carried
from agentopic.agentchat.teams._group_chat._events import SerializableException
from agentopic.core._payload import payload

Outcome = Literal["done", "failed", "cancelled"]
"""How a run has ended."""

# ── inside of the team ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeEntry:
    """One thing that a participant is told: what others said, to speak, to forget everything, or its state."""

    kind: Literal["heard", "speak", "reset", "load"]
    messages: list[Carried] = field(default_factory=list[Carried])
    state: Mapping[str, Any] | None = None


@payload("agentopic.team.Notice.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class TeamNotice:
    """From the manager to a participant: all that one turn of the manager has for it, in order."""

    run: int
    number: int
    """Of this notice, from 1, among all to this participant."""
    entries: list[NoticeEntry]


@payload("agentopic.team.Speech.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class TeamSpeech:
    """From a participant to the manager: all that its turn gave."""

    run: int
    name: str
    messages: list[Carried]
    """Each message once, in the order they came up."""
    shown: list[int]
    """Which of them the team puts out."""
    said: list[int]
    """Which of them are its answer: of an agent the inner messages and last the chat message, of a team its result."""
    is_team: bool = False
    stop_reason: str | None = None


@payload("agentopic.team.Waiting.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class TeamWaiting:
    """From a participant to the manager, in the middle of its turn: it waits for somebody."""

    run: int
    message: Carried


@payload("agentopic.team.Fault.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class TeamFault:
    """From a participant to the manager: it has failed for good."""

    run: int
    name: str
    error: SerializableException


# ── out of the team ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """The one terminal event of a run."""

    outcome: Outcome
    stop_reason: str | None = None
    error: SerializableException | None = None


@payload("agentopic.team.Output.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class TeamOutput:
    """A message or event of a run, or its end."""

    run: int
    number: int
    """From 0 in each run; the end's number is the count of what came before it."""
    message: Carried | None = None
    end: RunEnd | None = None


# ── what callers ask the manager ───────────────────────────────────────────────────────────────────────────


@payload("agentopic.team.Begin.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class TeamBegin:
    """Begin a run, or join the one that is meant; answered with a TeamStatus."""

    messages: list[Carried] | None = None
    output_task_messages: bool = True
    run_name: str | None = None
    """The run is begun once under this name, however often it is asked for."""


@payload("agentopic.team.Read.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class TeamRead:
    """Tell how the last run stands; answered with a TeamStatus."""

    run: int | None = None
    start: int = 0
    """The number of the first item that is wanted, when the last run is this one."""


@payload("agentopic.team.Cancel.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class TeamCancel:
    """End the run; answered with a TeamStatus."""

    run: int | None = None
    """None: whichever it is."""


@payload("agentopic.team.Forget.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class TeamForget:
    """Have manager and participants forget the conversation; answered with a TeamStatus."""


@payload("agentopic.team.Save.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class TeamSave:
    """Tell what you remember; answered with a SavedPart."""


@payload("agentopic.team.Load.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class TeamLoad:
    """Take over the states of manager and participants; answered with a TeamStatus."""

    agent_states: Mapping[str, Any]


READ_ITEMS: Final = 200
"""How many messages one answer holds at most; the end of the run comes on top."""


@payload("agentopic.team.Status.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class TeamStatus:
    """How the last run of a conversation stands."""

    run: int
    """0: there was none."""
    is_running: bool
    participants: list[str] = field(default_factory=list[str])
    """The names of the participants."""
    manager: str = ""
    """The name under which the manager's state is saved."""
    cause: str = ""
    """The id of the event that began the run."""
    items: list[TeamOutput] = field(default_factory=list[TeamOutput])
    """From the first that was asked for on; a caller asks again for what is missing."""
    refused: str = ""
    """Why nothing was done; empty: it was."""


@payload("agentopic.team.SavedPart.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPart:
    """The state of the manager, or of a participant."""

    state: Mapping[str, Any]
    notices: Mapping[str, int]
    """How many notices each participant was told, by name; of a participant, how many it has heard."""


PAYLOADS: Final[tuple[type[Any], ...]] = (
    TeamNotice,
    TeamSpeech,
    TeamWaiting,
    TeamFault,
    TeamOutput,
    TeamBegin,
    TeamRead,
    TeamCancel,
    TeamForget,
    TeamSave,
    TeamLoad,
    TeamStatus,
    SavedPart,
)
"""All payload classes, for whoever registers them."""
