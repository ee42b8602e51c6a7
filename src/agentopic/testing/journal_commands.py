"""Builders of control commands for a journal's tests."""

from __future__ import annotations

from agentopic.ports.journal import (
    Answer,
    AnswerQuestion,
    CancelRequest,
    CancelRun,
    Incoming,
    OutboxRow,
    PauseLane,
    ReplyAddress,
    Started,
)
from agentopic.ports.transport import TopicPartition
from agentopic.testing.journal_mesh import CONTROL_PLACE, GROUP, digest


def human_answer(turn: Started, name: str, value: bytes, *, place: TopicPartition = CONTROL_PLACE) -> AnswerQuestion:
    """Answer a question of a turn."""
    return AnswerQuestion(
        partition=place,
        lane=turn.lane,
        group=turn.group,
        key=turn.key,
        turn=turn.identity,
        step=digest(name),
        result=value,
    )


def cancel(
    incoming: Incoming,
    answer: Answer,
    *,
    reply_to: ReplyAddress | None = None,
    outbox: tuple[OutboxRow, ...] = (),
    place: TopicPartition = CONTROL_PLACE,
) -> CancelRequest:
    """End a request with this answer, and what goes with it."""
    return CancelRequest(
        partition=place,
        lane=incoming.lane,
        group=incoming.group,
        key=incoming.key,
        identity=incoming.identity,
        request_id=answer.request_id,
        answer=answer,
        reply_to=reply_to,
        outbox=outbox,
    )


def cancel_run(run: str) -> CancelRun:
    """End a run."""
    return CancelRun(partition=CONTROL_PLACE, lane=b"", group=GROUP, key="", run=run)


def pause(key: str = "k", *, paused: bool = True, group: str = GROUP) -> PauseLane:
    """Pause a lane, or let it go on."""
    return PauseLane(partition=CONTROL_PLACE, lane=digest(group, key), group=group, key=key, paused=paused)
