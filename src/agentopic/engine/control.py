"""Control: commands are read apart from deliveries, stored and applied in one transaction, and holders are woken."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

from agentopic.core import AgentId
from agentopic.engine.batches import Marks, Stored, advances, store_halved, stored_marks
from agentopic.engine.commands import (
    AnswerCommand,
    CancelCommand,
    CancelRunCommand,
    PauseCommand,
    ResumeCommand,
    read_command,
)
from agentopic.engine.deadletters import dead_letter
from agentopic.engine.delivery import Delivery, identity, lane_id, reply_address
from agentopic.engine.faults import answer_record, fault_envelope
from agentopic.engine.group import AgentGroup
from agentopic.engine.options import EngineOptions
from agentopic.engine.outbox import Outbox
from agentopic.engine.records import read_envelope
from agentopic.engine.request_ids import asking_step
from agentopic.engine.run_facts import terminal_rows
from agentopic.engine.step_records import value_record
from agentopic.engine.writer import Writer
from agentopic.envelope import Envelope, ExtensionValue
from agentopic.envelope import attributes as names
from agentopic.envelope.json import dumps
from agentopic.envelope.kafka import topic_source
from agentopic.errors import AgentopicError, PayloadError, RequestCancelledError, ValueRefusedError
from agentopic.ports.clock import Clock
from agentopic.ports.journal import (
    AnswerQuestion,
    CancelRequest,
    CancelRun,
    ControlBatch,
    Controlled,
    Notice,
    OutboxRow,
    PauseLane,
    StepResult,
)
from agentopic.ports.transport import Record, TopicPartition

Applied: TypeAlias = AnswerQuestion | CancelRequest | CancelRun | PauseLane
Wake = Callable[[Sequence[Notice]], None]


@dataclass(slots=True)
class _Sorted:
    """A batch told apart."""

    commands: list[Applied] = field(default_factory=list[Applied])
    answers: list[tuple[StepResult, Envelope]] = field(default_factory=list[tuple[StepResult, Envelope]])
    """Replies to turns that may have been unwound since they asked."""
    dead: list[tuple[TopicPartition, OutboxRow]] = field(default_factory=list[tuple[TopicPartition, OutboxRow]])


class ControlIntake:
    """Stores and applies what was read of one agent type's control topic (journal.md rule 10)."""

    def __init__(
        self,
        group: AgentGroup,
        *,
        writer: Writer,
        outbox: Outbox,
        clock: Clock,
        options: EngineOptions,
        wake: Wake,
        heard: Callable[[Envelope], None],
    ) -> None:
        self._group, self._writer, self._outbox = group, writer, outbox
        self._clock, self._options = clock, options
        self._wake, self._heard = wake, heard

    async def store(self, records: Sequence[Record], marks: Marks) -> Stored:
        """Apply commands in one transaction with the watermarks behind them, and wake whoever holds their lanes.

        Raises:
            JournalUnavailableError: the outcome is unknown; the watermarks tell.
        """
        return await store_halved(records, marks, self._store, self._bury)

    async def _store(self, records: Sequence[Record], marks: Marks) -> Stored:
        batch = _Sorted()
        for record in records:
            self._sort(record, batch)
        return await self._apply(batch, records, marks)

    async def _apply(self, batch: _Sorted, records: Sequence[Record], marks: Marks) -> Stored:
        advanced = advances(records, marks)
        control = ControlBatch(
            group=control_group(self._group.group), marks=advanced, commands=batch.commands, dead=batch.dead
        )
        results = [result for result, _ in batch.answers]
        controlled = await self._writer.call(lambda: self._control(control, results))
        for _, answer in batch.answers:
            self._heard(answer)
        stale = frozenset(controlled.stale)
        return Stored(stored_marks(advanced, stale), stale, 0)

    async def _control(self, batch: ControlBatch, results: Sequence[StepResult]) -> Controlled:
        if results:
            # Before the watermark: stored twice is stored once, passed over is lost.
            await self._writer.journal.close_steps(self._writer.me, results)
        controlled = await self._writer.journal.control(self._writer.me, batch)
        self._outbox.add(controlled.rows)
        self._wake(controlled.notices)
        return controlled

    # ── what a record asks for ─────────────────────────────────────────────────────────────────────────────

    def _sort(self, record: Record, batch: _Sorted) -> None:
        try:
            envelope = read_envelope(record, self._options)
            if envelope.agmsgkind in {names.KIND_REPLY, names.KIND_FAULT}:
                batch.answers.append((self._result(envelope, record), envelope))
            else:
                batch.commands.append(self._command(envelope, record))
        except AgentopicError as exc:
            batch.dead.append((TopicPartition(record.topic, record.partition), self._letter(record, exc)))

    def _result(self, answer: Envelope, record: Record) -> StepResult:
        step = asking_step(answer.agrequestid or "")
        if step is None:
            raise PayloadError(f"{answer.agmsgkind} {answer.id!r} names no step that waits for it")
        result = value_record(dumps(answer), _time(record))
        return StepResult(turn=step.turn, key=step.key, result=result, lane=step.lane)

    def _command(self, envelope: Envelope, record: Record) -> Applied:
        key = envelope.agtargetkey
        agent = AgentId(self._group.agent_type, topic_source(envelope, record.key) if key is None else key)
        partition = TopicPartition(record.topic, record.partition)
        group, lane = self._group.group, lane_id(self._group.group, agent.key)
        command = read_command(envelope)
        match command:
            case AnswerCommand():
                return AnswerQuestion(
                    partition=partition,
                    lane=lane,
                    group=group,
                    key=agent.key,
                    turn=bytes.fromhex(command.turn),
                    step=bytes.fromhex(command.step),
                    result=value_record(json.dumps(command.value).encode(), _time(record)),
                )
            case CancelCommand():
                return self._cancel(command, envelope, agent, record)
            case CancelRunCommand():
                return CancelRun(partition=partition, lane=lane, group=group, key=agent.key, run=command.run)
            case PauseCommand() | ResumeCommand():
                paused = isinstance(command, PauseCommand)
                return PauseLane(partition=partition, lane=lane, group=group, key=agent.key, paused=paused)
            case _:
                raise PayloadError(f"command {type(command).__name__} is not applied by an agent's process")

    def _cancel(self, command: CancelCommand, envelope: Envelope, agent: AgentId, record: Record) -> CancelRequest:
        delivery = _cancelled(command, agent, record)
        error = RequestCancelledError(f"the request to {agent} was cancelled before it was handled")
        fault = fault_envelope(delivery, error, namespace=self._options.namespace, now=self._clock.now())
        return CancelRequest(
            partition=TopicPartition(record.topic, record.partition),
            lane=lane_id(self._group.group, agent.key),
            group=self._group.group,
            key=agent.key,
            identity=identity(agent, delivery.envelope),
            request_id=command.request_id,
            answer=answer_record(fault, command.request_id, "cancelled", self._options.dedup_seconds),
            reply_to=reply_address(envelope),
            outbox=terminal_rows(
                delivery, "cancelled", error, namespace=self._options.namespace, now=self._clock.now()
            ),
        )

    # ── what is no command ─────────────────────────────────────────────────────────────────────────────────

    def _letter(self, record: Record, error: AgentopicError) -> OutboxRow:
        return dead_letter(
            record,
            topic=self._group.router.dead_letters,
            group=self._group.group,
            error=error,
            attempts=0,
            now=self._clock.now(),
        )

    async def _bury(self, record: Record, marks: Marks, error: ValueRefusedError) -> Stored:
        letter = (TopicPartition(record.topic, record.partition), self._letter(record, error))
        return await self._apply(_Sorted(dead=[letter]), [record], marks)


def control_group(group: str) -> str:
    """Return the name under which the watermarks of a group's control topic are kept."""
    return f"{group}#control"


def _cancelled(command: CancelCommand, agent: AgentId, record: Record) -> Delivery:
    """Return as much of a request as its cancellation knows: enough to name it, to answer it, to tell its run's end."""
    extensions: dict[str, ExtensionValue] = {
        names.CORRELATIONID: command.run or command.id,
        names.AGREDRIVE: command.redrive,
    }
    asking = asking_step(command.request_id)
    cause = command.cause if asking is None else asking.turn.hex()
    if cause is not None:
        extensions[names.CAUSATIONID] = cause
    request = Envelope(
        id=command.id,
        source=command.source,
        type="agentopic.Cancelled",
        subject=agent.key or None,
        extensions=extensions,
    )
    return Delivery(agent=agent, topic=None, envelope=request, record=record, request_id=command.request_id)


def _time(record: Record) -> datetime:
    return datetime.fromtimestamp(max(0, record.timestamp_ms) / 1000, UTC)
