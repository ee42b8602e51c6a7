"""Batches as columns: the arrays that the functions of the database take.

The driver looks at every element of an array, so a column without values is sent empty: `unnest` fills it up.
"""

from __future__ import annotations

from collections.abc import Sequence

from agentopic.adapters.journal.postgres.headers import pack_headers
from agentopic.ports.journal import (
    Answer,
    IntakeBatch,
    OutboxRow,
    StateChange,
    StoredRow,
    TurnDeferred,
    TurnDone,
)
from agentopic.ports.transport import TopicPartition

_DEFERRED, _FAILED, _HAND_BACK = 1, 2, 4
_NOWHERE = (None, None)


def intake_columns(batch: IntakeBatch) -> Sequence[Sequence[object]]:
    """Return the arguments of `intake` behind the free slots."""
    index = {mark.partition: number for number, mark in enumerate(batch.marks, 1)}
    return (*_mark_columns(batch), *_delivery_columns(batch, index), *_dead_columns(batch, index))


def _mark_columns(batch: IntakeBatch) -> Sequence[Sequence[object]]:
    marks = batch.marks
    return (
        [mark.partition.topic for mark in marks],
        [mark.partition.partition for mark in marks],
        [mark.known for mark in marks],
        [mark.next for mark in marks],
    )


def _delivery_columns(batch: IntakeBatch, index: dict[TopicPartition, int]) -> Sequence[Sequence[object]]:
    deliveries = batch.deliveries
    asked = any(delivery.request_id is not None for delivery in deliveries)
    requests = deliveries if asked else ()
    addresses = [delivery.reply_to or _NOWHERE for delivery in requests]
    return (
        [index.get(delivery.partition, 0) for delivery in deliveries],
        [delivery.lane for delivery in deliveries],
        [delivery.key for delivery in deliveries],
        [delivery.identity for delivery in deliveries],
        [delivery.head for delivery in deliveries],
        [delivery.body for delivery in deliveries],
        [delivery.request_id for delivery in requests],
        [address[0] for address in addresses],
        [address[1] for address in addresses],
    )


def _dead_columns(batch: IntakeBatch, index: dict[TopicPartition, int]) -> Sequence[Sequence[object]]:
    rows = [row for _, row in batch.dead]
    return ([index.get(place, 0) for place, _ in batch.dead], *_row_columns(rows))


def _row_columns(rows: Sequence[OutboxRow]) -> Sequence[Sequence[object]]:
    return (
        [row.topic for row in rows],
        _sparse([row.partition for row in rows]),
        [row.key for row in rows],
        [row.value for row in rows],
        [pack_headers(row.headers) for row in rows],
    )


def commit_columns(turns: Sequence[TurnDone | TurnDeferred], sent: Sequence[StoredRow]) -> Sequence[Sequence[object]]:
    """Return the arguments of `commit_turns`; parts of a turn carry its number, from 1."""
    done = [(number, turn) for number, turn in enumerate(turns, 1) if isinstance(turn, TurnDone)]
    return (
        *_turn_columns(turns),
        *_state_columns([(number, turn.lane, turn.state) for number, turn in done if turn.state is not None]),
        *_output_columns([(number, turn) for number, turn in done if turn.outbox]),
        *_answer_columns([(number, turn.answer) for number, turn in done if turn.answer is not None]),
        [row.id for row in sent],
        list({row.lane for row in sent if row.lane is not None}),
    )


def _turn_columns(turns: Sequence[TurnDone | TurnDeferred]) -> Sequence[Sequence[object]]:
    return (
        [turn.lane for turn in turns],
        [turn.token for turn in turns],
        [turn.pos for turn in turns],
        [_mode(turn) for turn in turns],
        _sparse([turn.delay_seconds if isinstance(turn, TurnDeferred) else None for turn in turns]),
        [turn.identity if isinstance(turn, TurnDone) and turn.outcome != "dead" else None for turn in turns],
    )


def _mode(turn: TurnDone | TurnDeferred) -> int:
    if isinstance(turn, TurnDeferred):
        return _DEFERRED | (_FAILED if turn.failed else 0)
    return _HAND_BACK if turn.hand_back else 0


def _state_columns(states: Sequence[tuple[int, bytes, StateChange]]) -> Sequence[Sequence[object]]:
    return (
        [number for number, _, _ in states],
        [lane for _, lane, _ in states],
        [state.expected for _, _, state in states],
        [state.snapshot for _, _, state in states],
    )


def _output_columns(done: Sequence[tuple[int, TurnDone]]) -> Sequence[Sequence[object]]:
    return (
        [number for number, turn in done for _ in turn.outbox],
        *_row_columns([row for _, turn in done for row in turn.outbox]),
    )


def _answer_columns(answers: Sequence[tuple[int, Answer]]) -> Sequence[Sequence[object]]:
    return (
        [number for number, _ in answers],
        [answer.request_id for _, answer in answers],
        [answer.outcome for _, answer in answers],
        [answer.key for _, answer in answers],
        [answer.value for _, answer in answers],
        [pack_headers(answer.headers) for _, answer in answers],
        [answer.keep_seconds for _, answer in answers],
    )


def _sparse(column: Sequence[object]) -> Sequence[object]:
    return column if any(value is not None for value in column) else ()
