"""Batches as columns: the arrays that intake and commit take.

The driver looks at every element of an array, so a column without values is sent empty: `unnest` fills it up.
"""

from __future__ import annotations

from collections.abc import Sequence

from agentopic.adapters.journal.postgres.headers import pack_headers
from agentopic.ports.journal import (
    Answer,
    Finish,
    Incoming,
    IntakeBatch,
    MarkAdvance,
    OutboxRow,
    StateChange,
    StoredRow,
    TurnDeferred,
    TurnDone,
    TurnParked,
)
from agentopic.ports.transport import TopicPartition

Columns = Sequence[Sequence[object]]
Numbered = Sequence[tuple[int, OutboxRow]]

_DEFERRED, _FAILED, _HAND_BACK, _KEEP_STEPS = 1, 2, 4, 8
_NOWHERE = (None, None)


def intake_columns(batch: IntakeBatch) -> Columns:
    """Return the arguments of `intake` behind the free slots."""
    index = mark_numbers(batch.marks)
    return (*mark_columns(batch.marks), *_delivery_columns(batch.deliveries, index), *dead_columns(batch.dead, index))


def mark_numbers(marks: Sequence[MarkAdvance]) -> dict[TopicPartition, int]:
    """Number the marks from 1, as what depends on them refers to them."""
    return {mark.partition: number for number, mark in enumerate(marks, 1)}


def mark_columns(marks: Sequence[MarkAdvance]) -> Columns:
    """Return marks as topics, partitions, known and next values."""
    return (
        [mark.partition.topic for mark in marks],
        [mark.partition.partition for mark in marks],
        [mark.known for mark in marks],
        [mark.next for mark in marks],
    )


def _delivery_columns(deliveries: Sequence[Incoming], index: dict[TopicPartition, int]) -> Columns:
    return (
        [index.get(delivery.partition, 0) for delivery in deliveries],
        [delivery.lane for delivery in deliveries],
        [delivery.key for delivery in deliveries],
        [delivery.identity for delivery in deliveries],
        [delivery.head for delivery in deliveries],
        [delivery.body for delivery in deliveries],
        *_request_columns(deliveries),
        sparse([delivery.deadline_ms for delivery in deliveries]),
        sparse([delivery.caller for delivery in deliveries]),
    )


def _request_columns(deliveries: Sequence[Incoming]) -> Columns:
    if all(delivery.request_id is None for delivery in deliveries):
        return ((), (), ())
    addresses = [delivery.reply_to or _NOWHERE for delivery in deliveries]
    return (
        [delivery.request_id for delivery in deliveries],
        [address[0] for address in addresses],
        [address[1] for address in addresses],
    )


def dead_columns(dead: Sequence[tuple[TopicPartition, OutboxRow]], index: dict[TopicPartition, int]) -> Columns:
    """Return dead letters with the number of the mark that each depends on."""
    return row_columns([(index.get(place, 0), row) for place, row in dead])


def row_columns(rows: Numbered) -> Columns:
    """Return rows to publish, each with the number of what it belongs to."""
    if not rows:
        return ((), (), (), (), (), ())
    return (
        [number for number, _ in rows],
        [row.topic for _, row in rows],
        sparse([row.partition for _, row in rows]),
        [row.key for _, row in rows],
        [row.value for _, row in rows],
        [pack_headers(row.headers) for _, row in rows],
    )


def commit_columns(turns: Sequence[Finish], sent: Sequence[StoredRow]) -> Columns:
    """Return the arguments of `commit_turns`; parts of a turn carry its number, from 1."""
    done = [(number, turn) for number, turn in enumerate(turns, 1) if isinstance(turn, TurnDone)]
    return (
        *_turn_columns(turns),
        *_await_columns([(number, turn) for number, turn in enumerate(turns, 1) if isinstance(turn, TurnParked)]),
        [number for number, turn in done if turn.asked],
        *_state_columns([(number, turn.lane, turn.state) for number, turn in done if turn.state is not None]),
        *row_columns([(number, row) for number, turn in done for row in turn.outbox]),
        *_answer_columns([(number, turn.answer) for number, turn in done if turn.answer is not None]),
        [row.id for row in sent],
        list({row.lane for row in sent if row.lane is not None}),
    )


def _turn_columns(turns: Sequence[Finish]) -> Columns:
    return (
        [turn.lane for turn in turns],
        [turn.token for turn in turns],
        [turn.pos for turn in turns],
        _modes(turns),
        sparse([None if isinstance(turn, TurnDone) else turn.delay_seconds for turn in turns]),
    )


def _modes(turns: Sequence[Finish]) -> Sequence[int]:
    modes = [_mode(turn) for turn in turns]
    return modes if any(modes) else ()


def _mode(turn: Finish) -> int:
    if isinstance(turn, TurnDone):
        return (_HAND_BACK if turn.hand_back else 0) | (_KEEP_STEPS if turn.outcome == "dead" else 0)
    return _DEFERRED | (_FAILED if isinstance(turn, TurnDeferred) and turn.failed else 0)


def _await_columns(parked: Sequence[tuple[int, TurnParked]]) -> Columns:
    awaited = [(number, turn.turn, key) for number, turn in parked for key in turn.awaits]
    return (
        [number for number, _, _ in awaited],
        [identity for _, identity, _ in awaited],
        [key for _, _, key in awaited],
    )


def _state_columns(states: Sequence[tuple[int, bytes, StateChange]]) -> Columns:
    if not states:
        return ((), (), (), (), (), (), (), ())
    events = [
        (number, state.expected + place, value)
        for number, _, state in states
        if state.snapshot is None
        for place, value in enumerate(state.events, 1)
    ]
    return (
        [number for number, _, _ in states],
        [lane for _, lane, _ in states],
        [state.expected for _, _, state in states],
        [state.version for _, _, state in states],
        [state.snapshot for _, _, state in states],
        [number for number, _, _ in events],
        [version for _, version, _ in events],
        [value for _, _, value in events],
    )


def _answer_columns(answers: Sequence[tuple[int, Answer]]) -> Columns:
    return (
        [number for number, _ in answers],
        [answer.request_id for _, answer in answers],
        [answer.outcome for _, answer in answers],
        [answer.key for _, answer in answers],
        [answer.value for _, answer in answers],
        [pack_headers(answer.headers) for _, answer in answers],
        [answer.keep_seconds for _, answer in answers],
    )


def sparse(column: Sequence[object]) -> Sequence[object]:
    """Return a column, or an empty one when it holds nothing but nulls."""
    return column if any(value is not None for value in column) else ()
