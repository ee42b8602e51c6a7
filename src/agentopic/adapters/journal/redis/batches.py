"""The port's values as words, in the order in which the scripts read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields

from agentopic.adapters.journal.redis.rows import answer_content, pack_address, pack_row
from agentopic.adapters.journal.redis.words import Words, micros
from agentopic.ports.journal import (
    Answer,
    AnswerQuestion,
    CancelRequest,
    CancelRun,
    ControlBatch,
    Finish,
    Incoming,
    IntakeBatch,
    MarkAdvance,
    OutboxRow,
    PauseLane,
    Refusal,
    Spend,
    StateChange,
    StepIntent,
    StepResult,
    StoredRow,
    TurnDeferred,
    TurnDone,
)
from agentopic.ports.transport import TopicPartition

SPEND_COUNTS = tuple(field.name for field in fields(Spend) if field.name != "scope")
"""In the order in which the scripts keep them."""
_Dead = tuple[TopicPartition, OutboxRow]


def place(partition: TopicPartition) -> str:
    """Return the name of a partition within its group."""
    return f"{partition.topic}\0{partition.partition}"


def stale_partitions(marks: Sequence[MarkAdvance], numbers: Sequence[int]) -> AbstractSet[TopicPartition]:
    """Return the partitions of those marks that a script names by their numbers."""
    return frozenset(marks[number - 1].partition for number in numbers)


def intake_words(batch: IntakeBatch) -> Words:
    """Return what an intake reads."""
    numbers = _mark_numbers(batch.marks)
    words = Words()
    words.put(batch.group, batch.free)
    _put_marks(words, batch.marks, batch.dead, numbers)
    words.append(len(batch.deliveries))
    for delivery in batch.deliveries:
        words.append(numbers.get(delivery.partition, 0))
        _put_incoming(words, delivery)
    return words


def _mark_numbers(marks: Sequence[MarkAdvance]) -> Mapping[TopicPartition, int]:
    return {mark.partition: number for number, mark in enumerate(marks, 1)}


def _put_marks(
    words: Words, marks: Sequence[MarkAdvance], dead: Sequence[_Dead], numbers: Mapping[TopicPartition, int]
) -> None:
    words.append(len(marks))
    for mark in marks:
        words.append(place(mark.partition))
        words.maybe(mark.known)
        words.append(mark.next)
    words.append(len(dead))
    for partition, row in dead:
        words.put(numbers.get(partition, 0), pack_row(row))


def _put_incoming(words: Words, delivery: Incoming) -> None:
    words.put(delivery.lane, delivery.group, delivery.key, delivery.identity, delivery.head)
    words.maybe(delivery.body)
    words.maybe(delivery.request_id)
    words.maybe(None if delivery.reply_to is None else pack_address(*delivery.reply_to))
    words.maybe(delivery.deadline_ms)
    words.maybe(delivery.caller)


def commit_words(turns: Sequence[Finish], sent: Sequence[StoredRow]) -> Words:
    """Return what a commit reads."""
    words = Words()
    words.each(turns, _put_turn)
    words.append(len(sent))
    for row in sent:
        words.append(row.id)
        words.maybe(row.lane)
    return words


def _put_turn(words: Words, turn: Finish) -> None:
    if isinstance(turn, TurnDone):
        words.put("done", turn.lane, turn.token, turn.pos, turn.outcome)
        words.optional(turn.state, _put_change)
        _put_rows(words, turn.outbox)
        words.optional(turn.answer, _put_answer)
        words.flag(turn.hand_back)
        words.flag(turn.asked)
    elif isinstance(turn, TurnDeferred):
        words.put("deferred", turn.lane, turn.token, turn.pos, micros(turn.delay_seconds))
        words.flag(turn.failed)
    else:
        words.put("parked", turn.lane, turn.token, turn.pos)
        words.maybe(None if turn.delay_seconds is None else micros(turn.delay_seconds))
        words.append(turn.turn)
        words.each(turn.awaits, Words.append)


def _put_change(words: Words, change: StateChange) -> None:
    words.append(change.expected)
    words.maybe(change.snapshot)
    words.each(change.events, Words.append)


def _put_answer(words: Words, answer: Answer) -> None:
    words.put(answer.request_id, answer.outcome, answer_content(answer), micros(answer.keep_seconds))


def _put_rows(words: Words, rows: Sequence[OutboxRow]) -> None:
    words.append(len(rows))
    words.extend(map(pack_row, rows))


def refusal_words(refusals: Sequence[Refusal]) -> Words:
    """Return what a refusal reads."""
    words = Words()
    words.append(len(refusals))
    for refusal in refusals:
        words.put(refusal.lane, refusal.identity, refusal.outcome)
        words.optional(refusal.answer, _put_answer)
        _put_rows(words, refusal.outbox)
    return words


def intent_words(intents: Sequence[StepIntent]) -> Words:
    """Return what `open_steps` reads."""
    words = Words()
    words.append(len(intents))
    for intent in intents:
        words.put(intent.lane, intent.token, intent.pos, intent.turn, intent.key, intent.kind, intent.name)
        words.maybe(None if intent.due_seconds is None else round(intent.due_seconds * 1000))
        words.maybe(intent.due_ms)
        words.maybe(intent.callee)
        words.maybe(intent.note)
        _put_rows(words, intent.outbox)
    return words


def result_words(results: Sequence[StepResult]) -> Words:
    """Return what `close_steps` reads."""
    words = Words()
    words.append(len(results))
    for result in results:
        words.put(result.turn, result.key, result.result)
        words.maybe(result.lane)
        words.maybe(result.token)
        words.each(result.spend, put_spend)
    return words


def put_spend(words: Words, spend: Spend) -> None:
    """Append an entry of the ledger."""
    words.append(spend.scope)
    words.extend(getattr(spend, name) for name in SPEND_COUNTS)


def control_words(batch: ControlBatch) -> Words:
    """Return what a control batch reads."""
    numbers = _mark_numbers(batch.marks)
    words = Words()
    words.append(batch.group)
    _put_marks(words, batch.marks, batch.dead, numbers)
    words.append(len(batch.commands))
    for command in batch.commands:
        common = (numbers.get(command.partition, 0), command.lane, command.group, command.key)
        match command:
            case AnswerQuestion():
                words.put("answer", *common, command.turn, command.step, command.result)
            case CancelRequest():
                words.put("cancel", *common, command.identity)
                _put_answer(words, command.answer)
                words.maybe(None if command.reply_to is None else pack_address(*command.reply_to))
                _put_rows(words, command.outbox)
            case CancelRun():
                words.put("run", *common, command.run)
            case PauseLane():
                words.put("pause", *common, int(command.paused))
    return words
