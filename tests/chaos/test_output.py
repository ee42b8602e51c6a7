"""Those who read what comes out: one that is far too slow, and dies now and then, holds up nobody."""

from __future__ import annotations

import asyncio

import pytest

from agentopic.testing.proof import scale

from .conftest import Open
from .outside import posts
from .slow_reader import SlowReader


@pytest.mark.timeout(900)
async def test_a_slow_reader_of_an_output_topic_holds_up_nobody_and_misses_nothing(open_mesh: Open) -> None:
    count, lives = scale(200, 2000), scale(3, 10)
    with open_mesh(CHAOS_CALL_SECONDS="0.01,0.05", CHAOS_CONCURRENCY="32") as mesh:
        await mesh.staff(2)
        topic = f"{mesh.fleet.namespace}.topic.receipts"
        reader = SlowReader(mesh.kafka, topic, seconds_each=0.05)
        reading = asyncio.create_task(_live_again(reader, count, lives))
        await mesh.publish(posts(range(count)))
        assert await mesh.settle(120), "the services wait for their reader"
        behind = count - reader.seen
        mesh.fleet.fault("slow reader", hit=behind)
        await reading

        verdict = await mesh.judge("slow reader of an output topic", left_to_read=behind, read_twice=reader.repeated)

    assert verdict.repaid == 0
    assert sorted(number for numbers in reader.orders.values() for number in numbers) == list(range(count))
    assert all(numbers == sorted(numbers) for numbers in reader.orders.values())


async def _live_again(reader: SlowReader, count: int, lives: int) -> None:
    for life in range(1, lives + 1):
        await reader.read(count * life // lives)
