"""Control commands, refusals, steps and spending as columns."""

from __future__ import annotations

from collections.abc import Sequence

from agentopic.adapters.journal.postgres.batches import (
    Columns,
    dead_columns,
    mark_columns,
    mark_numbers,
    row_columns,
    sparse,
)
from agentopic.adapters.journal.postgres.headers import pack_headers
from agentopic.ports.journal import (
    Answer,
    AnswerQuestion,
    CancelRequest,
    CancelRun,
    ControlBatch,
    OutboxRow,
    PauseLane,
    Refusal,
    Spend,
    StepIntent,
    StepResult,
)

_ANSWER, _CANCEL, _CANCEL_RUN, _PAUSE = 1, 2, 3, 4
_NO_ANSWER = (None,) * 6


def control_columns(batch: ControlBatch) -> Columns:
    """Return the arguments of `control` behind the group."""
    commands = batch.commands
    index = mark_numbers(batch.marks)
    parts = [_parts(command) for command in commands]
    return (
        *mark_columns(batch.marks),
        [kind for kind, _ in parts],
        [index.get(command.partition, 0) for command in commands],
        [command.lane for command in commands],
        [command.group for command in commands],
        [command.key for command in commands],
        *([values[place] for _, values in parts] for place in range(14)),
        *dead_columns(batch.dead, index),
        *row_columns([(number, row) for number, command in enumerate(commands, 1) for row in _outbox(command)]),
    )


def _outbox(command: AnswerQuestion | CancelRequest | CancelRun | PauseLane) -> Sequence[OutboxRow]:
    return command.outbox if isinstance(command, CancelRequest) else ()


def _parts(command: AnswerQuestion | CancelRequest | CancelRun | PauseLane) -> tuple[int, Sequence[object]]:
    """Return a command's kind and its own values, each in its place: three, one, eight, one and one."""
    match command:
        case AnswerQuestion():
            return _ANSWER, (command.turn, command.step, command.result, *(None,) * 11)
        case CancelRequest():
            address = command.reply_to or (None, None)
            return _CANCEL, (*(None,) * 3, command.identity, *_answer_values(command.answer), *address, None, None)
        case CancelRun():
            return _CANCEL_RUN, (*(None,) * 12, command.run, None)
        case PauseLane():
            return _PAUSE, (*(None,) * 13, command.paused)


def _answer_values(answer: Answer | None) -> Sequence[object]:
    if answer is None:
        return _NO_ANSWER
    headers = pack_headers(answer.headers)
    return (answer.request_id, answer.outcome, answer.key, answer.value, headers, answer.keep_seconds)


def refusal_columns(refusals: Sequence[Refusal]) -> Columns:
    """Return the arguments of `refuse` behind the process."""
    answers = [_answer_values(refusal.answer) for refusal in refusals]
    return (
        [refusal.lane for refusal in refusals],
        [refusal.identity for refusal in refusals],
        [refusal.outcome for refusal in refusals],
        *([values[place] for values in answers] for place in (0, 2, 3, 4, 5)),
        *row_columns([(number, row) for number, refusal in enumerate(refusals, 1) for row in refusal.outbox]),
    )


def intent_columns(intents: Sequence[StepIntent]) -> Columns:
    """Return the arguments of `open_steps` behind the process."""
    return (
        [intent.lane for intent in intents],
        [intent.token for intent in intents],
        [intent.pos for intent in intents],
        [intent.turn for intent in intents],
        [intent.key for intent in intents],
        [intent.kind for intent in intents],
        [intent.name for intent in intents],
        sparse([intent.due_seconds for intent in intents]),
        sparse([intent.due_ms for intent in intents]),
        sparse([intent.callee for intent in intents]),
        sparse([intent.note for intent in intents]),
        *row_columns([(number, row) for number, intent in enumerate(intents, 1) for row in intent.outbox]),
    )


def result_columns(results: Sequence[StepResult]) -> Columns:
    """Return the arguments of `close_steps` behind the process."""
    return (
        [result.turn for result in results],
        [result.key for result in results],
        [result.result for result in results],
        sparse([result.lane for result in results]),
        sparse([result.token for result in results]),
        *spend_columns([(number, spend) for number, result in enumerate(results, 1) for spend in result.spend]),
    )


def spend_columns(entries: Sequence[tuple[int, Spend]]) -> Columns:
    """Return numbers, scopes, and eight counts per entry."""
    return (
        [number for number, _ in entries],
        [spend.scope for _, spend in entries],
        [count for _, spend in entries for count in _counts(spend)],
    )


def _counts(spend: Spend) -> Sequence[int]:
    return (
        spend.calls,
        spend.saved,
        spend.unknown,
        spend.diverged,
        spend.input_tokens,
        spend.output_tokens,
        spend.micros,
        spend.unpriced,
    )
