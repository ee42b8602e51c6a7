"""Commands: control events as they travel, made and read by one codec; JSON data, checked by pydantic."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from agentopic.core import AgentId
from agentopic.engine.mesh_names import parse_mesh_type, place_of
from agentopic.envelope import Envelope, new_id
from agentopic.envelope import attributes as names
from agentopic.envelope.kafka import encode
from agentopic.envelope.kafka_topics import control
from agentopic.errors import PayloadError
from agentopic.ports.journal import OutboxRow

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Identity = Annotated[str, Field(min_length=1, max_length=names.MAX_IDENTITY_BYTES)]


class Command(BaseModel):
    """What a control event asks for."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class AnswerCommand(Command):
    """A person's answer to a question: any JSON value."""

    turn: Digest
    step: Digest
    value: JsonValue


class CancelCommand(Command):
    """The end of one request, named by the event that asked it."""

    request_id: Identity
    source: Identity
    id: Identity
    redrive: int = 0
    run: str | None = None
    cause: str | None = None
    """The id of the event that has caused the request; None: nothing has, or a turn, whose request id says so."""


class CancelRunCommand(Command):
    """The end of everything one root event has caused."""

    run: Identity


class PauseCommand(Command):
    """Start no further turn of an agent."""


class ResumeCommand(Command):
    """Let a paused agent go on."""


_TYPES: Final[Mapping[str, type[Command]]] = {
    "agentopic.Answer.v1": AnswerCommand,
    "agentopic.Cancel.v1": CancelCommand,
    "agentopic.CancelRun.v1": CancelRunCommand,
    "agentopic.Pause.v1": PauseCommand,
    "agentopic.Resume.v1": ResumeCommand,
}
_NAMES: Final[Mapping[type[Command], str]] = {kind: name for name, kind in _TYPES.items()}


def command_event(
    namespace: str, agent: AgentId, command: Command, *, now: datetime, run: str | None = None
) -> Envelope:
    """Return the event that carries a command for an agent (for a run: for any agent of the type)."""
    event_id = new_id()
    return Envelope(
        id=event_id,
        source=f"/{namespace}/control",
        type=_NAMES[type(command)],
        subject=agent.key or None,
        time=now,
        datacontenttype="application/json",
        data=command.model_dump_json().encode(),
        extensions={
            names.CORRELATIONID: run or event_id,
            names.AGMSGKIND: names.KIND_CONTROL,
            names.AGTARGETTYPE: agent.type,
            names.AGTARGETKEY: agent.key,
        },
    )


def control_row(namespace: str, agent: AgentId, event: Envelope, *, places: int = 1) -> OutboxRow:
    """Return the record of a command, for the control topic of the agent's type.

    For a process-lived agent it goes to its process: to one of so many partitions of the replies topic.
    """
    message = encode(event, key=agent.key.encode())
    name = parse_mesh_type(agent.type)
    if name is not None:
        topic, partition = place_of(namespace, name.process, places)
        return OutboxRow(topic=topic, key=None, value=message.value, headers=message.headers, partition=partition)
    topic = control(namespace, agent.type)
    return OutboxRow(topic=topic, key=message.key, value=message.value, headers=message.headers)


def for_all(event: Envelope) -> Envelope:
    """Return a command as it is told to every process that has process-lived agents."""
    return event.with_extensions(agtargettype=None, agtargetkey=None)


def is_for_all(event: Envelope) -> bool:
    """Whether a command names no agent."""
    return event.agtargettype is None


def read_command(envelope: Envelope) -> Command:
    """Return the command an event carries.

    Raises:
        PayloadError: its type is no command's, or its data not what the type declares.
    """
    kind = _TYPES.get(envelope.type)
    if kind is None:
        raise PayloadError(
            f"event {envelope.id!r} of type {envelope.type!r} is no command: use one of {sorted(_TYPES)}"
        )
    try:
        return kind.model_validate_json(envelope.data or b"{}")
    except ValidationError as exc:
        raise PayloadError(f"command {envelope.id!r} of type {envelope.type!r} is not valid: {exc}") from exc
