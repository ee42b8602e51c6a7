"""Which text a journal stores: all refuse the same values, so that moving between stores loses nothing."""

from __future__ import annotations

from collections.abc import Iterable

from agentopic.errors import ValueRefusedError
from agentopic.ports.journal import (
    Answer,
    CancelRequest,
    CancelRun,
    ControlBatch,
    Finish,
    Incoming,
    IntakeBatch,
    OutboxRow,
    PauseLane,
    Refusal,
    Spend,
    StepIntent,
    StepResult,
    TurnDone,
)


def check_text(what: str, value: str) -> None:
    """Raise `ValueRefusedError` when a text cannot be stored everywhere: it holds NUL or a lone surrogate."""
    if "\0" in value:
        raise ValueRefusedError(f"{what} holds a NUL character: {value[:80]!r}")
    try:
        value.encode()
    except UnicodeEncodeError as exc:
        raise ValueRefusedError(f"{what} is not valid Unicode: {value[:80]!r}") from exc


def check_row(row: OutboxRow) -> None:
    """Check the texts of a record to publish."""
    check_text("topic", row.topic)
    for name, _ in row.headers:
        check_text("header name", name)


def check_batch(batch: IntakeBatch) -> None:
    """Check the texts of everything an intake would store."""
    check_text("group", batch.group)
    for mark in batch.marks:
        check_text("topic", mark.partition.topic)
    for delivery in batch.deliveries:
        _check_incoming(delivery)
    for _, row in batch.dead:
        check_row(row)


def _check_incoming(delivery: Incoming) -> None:
    check_text("group", delivery.group)
    check_text("key", delivery.key)
    if delivery.request_id is not None:
        check_text("request id", delivery.request_id)
    if delivery.reply_to is not None:
        check_text("reply topic", delivery.reply_to.topic)


def check_turns(turns: Iterable[Finish]) -> None:
    """Check the texts of everything a commit would store."""
    for turn in turns:
        if isinstance(turn, TurnDone):
            _check_end(turn)


def check_refusals(refusals: Iterable[Refusal]) -> None:
    """Check the texts of everything a refusal would store."""
    for refusal in refusals:
        _check_end(refusal)


def _check_end(end: TurnDone | Refusal) -> None:
    for row in end.outbox:
        check_row(row)
    if end.answer is not None:
        _check_answer(end.answer)


def _check_answer(answer: Answer) -> None:
    check_text("request id", answer.request_id)
    for name, _ in answer.headers:
        check_text("header name", name)


def check_intents(intents: Iterable[StepIntent]) -> None:
    """Check the texts of step intents."""
    for intent in intents:
        check_text("step kind", intent.kind)
        check_text("step name", intent.name)
        for row in intent.outbox:
            check_row(row)


def check_results(results: Iterable[StepResult]) -> None:
    """Check the texts of step results."""
    for result in results:
        check_spending(result.spend)


def check_spending(entries: Iterable[Spend]) -> None:
    """Check the scopes of entries."""
    for entry in entries:
        check_text("scope", entry.scope)


def check_control(batch: ControlBatch) -> None:
    """Check the texts of everything a control batch would store."""
    check_text("group", batch.group)
    for mark in batch.marks:
        check_text("topic", mark.partition.topic)
    for command in batch.commands:
        match command:
            case CancelRequest():
                check_text("request id", command.request_id)
                _check_answer(command.answer)
                if command.reply_to is not None:
                    check_text("reply topic", command.reply_to.topic)
                for row in command.outbox:
                    check_row(row)
            case CancelRun():
                check_text("run", command.run)
            case PauseLane():
                check_text("group", command.group)
                check_text("key", command.key)
            case _:
                pass
    for _, row in batch.dead:
        check_row(row)
