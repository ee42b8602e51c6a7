"""The control client: answering, cancelling, pausing and resuming from anywhere in the mesh."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from agentopic.core import AgentId
from agentopic.engine.commands import (
    AnswerCommand,
    CancelCommand,
    CancelRunCommand,
    Command,
    PauseCommand,
    ResumeCommand,
    command_event,
    control_row,
    for_all,
)
from agentopic.engine.mesh_names import parse_mesh_type
from agentopic.engine.sending import Sender
from agentopic.engine.topics import TopicCatalog
from agentopic.envelope import Envelope
from agentopic.envelope.kafka import encode
from agentopic.envelope.kafka_topics import consumer_group, control, parse_topic, replies
from agentopic.errors import PayloadError
from agentopic.ports.clock import Clock
from agentopic.ports.journal import Question
from agentopic.ports.transport import OutgoingRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQuestion:
    """A question that nobody has answered yet."""

    id: str
    """What `answer` is given: `<turn>.<step>`, both hexadecimal."""
    agent: AgentId
    asked_ms: int
    note: dict[str, Any]
    """What the agent says: `text`, `choices`, `details`, `run`, `asked`."""


class ControlClient:
    """Sends commands to agent types over their control topics, which no backlog ever holds up.

    A command is applied once, durably, by whichever process of the type reads it; a call here returns when the log
    has it. Commands for a type that no process runs wait in its topic. Process-lived agents are told through the
    replies topic, where their processes hear at most once.
    """

    def __init__(
        self,
        namespace: str,
        sender: Sender,
        catalog: TopicCatalog,
        clock: Clock,
        *,
        questions: Callable[[Sequence[str]], Awaitable[Sequence[Question]]],
        named: Callable[[AgentId], AgentId],
    ) -> None:
        """Look up with `questions` what is open in these groups, and with `named` what an agent is called elsewhere."""
        self._namespace, self._sender, self._catalog, self._clock = namespace, sender, catalog, clock
        self._questions, self._named = questions, named

    async def questions(self, agent_types: Sequence[str] | None = None) -> Sequence[OpenQuestion]:
        """Return the open questions of these agent types (None: of all that have a control topic), oldest first.

        Raises:
            ConfigError: this process has no journal to ask.
            JournalUnavailableError: the journal does not answer.
        """
        types = await self._types() if agent_types is None else agent_types
        groups = {consumer_group(self._namespace, each): each for each in types}
        found = await self._questions(list(groups))
        return [_open_question(each, groups[each.group]) for each in found]

    async def answer(self, question_id: str, agent: AgentId, value: Any) -> None:
        """Answer a question with any JSON value; the first answer wins, a later one does nothing.

        Raises:
            PayloadError: the id is no question's, or the value is not JSON.
            MissingTopicError: there is no such agent type.
            TransportError: the log did not acknowledge it.
        """
        turn, _, step = question_id.partition(".")
        try:
            command = AnswerCommand(turn=turn, step=step, value=value)
        except ValueError as exc:
            raise PayloadError(f"question {question_id!r} cannot be answered so: {exc}") from exc
        await self._send(agent, command)

    async def cancel_request(self, agent: AgentId, request: Envelope) -> None:
        """End a request, named by the event that asked it: at once when it has not begun, else as soon as can be.

        Raises:
            MissingTopicError: there is no such agent type.
            TransportError: the log did not acknowledge it.
        """
        command = CancelCommand(
            request_id=request.agrequestid or request.id,
            source=request.source,
            id=request.id,
            redrive=request.agredrive,
            run=request.correlationid,
            cause=request.causationid,
        )
        await self._send(agent, command, run=request.correlationid)

    async def cancel_run(self, run_id: str) -> None:
        """End everything one root event has caused, in all agent types: running turns and those not started yet.

        Process-lived agents that are there now end what they do of it, and begin nothing more.

        Raises:
            TransportError: the log did not acknowledge it.
        """
        for agent_type in await self._types():
            await self._send(AgentId(agent_type, ""), CancelRunCommand(run=run_id), run=run_id)
        await self._tell_all(CancelRunCommand(run=run_id), run=run_id)

    async def _tell_all(self, command: Command, *, run: str) -> None:
        event = command_event(self._namespace, AgentId("all", ""), command, now=self._clock.now(), run=run)
        message, topic = encode(for_all(event)), replies(self._namespace)
        for partition in range(self._catalog.count(topic)):
            record = OutgoingRecord(
                topic=topic, key=None, value=message.value, headers=message.headers, partition=partition
            )
            await self._sender.send(record)

    async def pause(self, agent: AgentId) -> None:
        """Have an agent start no further turn; the one it runs ends. Lasts until `resume`, whatever is restarted.

        A process-lived agent keeps what comes in the meantime in memory, in order; nothing of it outlives its process.

        Raises:
            MissingTopicError: there is no such agent type.
            TransportError: the log did not acknowledge it.
        """
        await self._send(agent, PauseCommand())

    async def resume(self, agent: AgentId) -> None:
        """Let a paused agent go on.

        Raises:
            MissingTopicError: there is no such agent type.
            TransportError: the log did not acknowledge it.
        """
        await self._send(agent, ResumeCommand())

    async def _types(self) -> Sequence[str]:
        parsed = (parse_topic(name) for name in await self._catalog.refresh())
        mine = (self._namespace, "control")
        return sorted(each.name for each in parsed if each is not None and (each.namespace, each.kind) == mine)

    async def _send(self, agent: AgentId, command: Command, *, run: str | None = None) -> None:
        agent = self._named(agent)
        lives = parse_mesh_type(agent.type) is not None
        topic = replies(self._namespace) if lives else control(self._namespace, agent.type)
        places = await self._catalog.partitions(topic)
        event = command_event(self._namespace, agent, command, now=self._clock.now(), run=run)
        row = control_row(self._namespace, agent, event, places=places)
        record = OutgoingRecord(
            topic=row.topic, key=row.key, value=row.value, headers=row.headers, partition=row.partition
        )
        await self._sender.send(record)


def _open_question(question: Question, agent_type: str) -> OpenQuestion:
    return OpenQuestion(
        id=f"{question.turn.hex()}.{question.step.hex()}",
        agent=AgentId(agent_type, question.key),
        asked_ms=question.asked_ms,
        note=cast("dict[str, Any]", json.loads(question.note)),
    )
