from __future__ import annotations

from agentopic.adapters.transport.cursor import Cursor
from agentopic.ports.transport import Record, TopicPartition

_A, _B, _C = (TopicPartition("t", number) for number in range(3))


def _record(part: TopicPartition, offset: int) -> Record:
    return Record(topic=part.topic, partition=part.partition, offset=offset, timestamp_ms=0, key=None, value=None)


def test_partitions_that_stay_keep_their_position() -> None:
    cursor = Cursor()
    cursor.assign({_A: 5, _B: 0})
    cursor.advance([_record(_A, 5), _record(_A, 6)])

    cursor.assign({_A: 0, _C: 3})

    assert dict(cursor.positions) == {_A: 7, _C: 3}


def test_every_partition_comes_first_in_turn() -> None:
    cursor = Cursor()
    cursor.assign({_A: 0, _B: 0, _C: 0})

    firsts = [cursor.turn()[0][0] for _ in range(6)]

    assert sorted(firsts) == [_A, _A, _B, _B, _C, _C]


def test_every_change_of_positions_is_a_new_generation() -> None:
    cursor = Cursor()

    generations = [cursor.generation]
    cursor.assign({_A: 0})
    generations.append(cursor.generation)
    cursor.advance([_record(_A, 0)])
    generations.append(cursor.generation)

    assert len(set(generations)) == 3


def test_nothing_assigned_is_nothing_to_read() -> None:
    assert list(Cursor().turn()) == []
