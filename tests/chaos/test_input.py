"""What comes in: copies, foreign partitioners, two topics, poison, killers, hot keys, more than anyone can do."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from agentopic.testing.proof import require, scale

from .conftest import Open
from .fleet import until
from .outside import Post, posts

PARTITIONS = 6


@pytest.mark.timeout(600)
async def test_events_that_come_up_to_five_times_by_several_partitions_have_one_effect(open_mesh: Open) -> None:
    count = scale(300, 5000)
    with open_mesh(CHAOS_CALL_SECONDS="0.01,0.05") as mesh:
        await mesh.staff(2)
        copies = [
            Post(post.number, post.key, places=[random.randrange(PARTITIONS) for _ in range(random.randint(1, 5))])
            for post in posts(range(count))
        ]
        random.shuffle(copies)
        await mesh.publish(copies)

        verdict = await mesh.judge(
            "every event 1-5 times", ordered=False, deliveries=sum(len(each.places) for each in copies)
        )

    assert verdict.repaid == 0


@pytest.mark.timeout(300)
async def test_publishers_with_another_partitioner_are_served_like_any_other(open_mesh: Open) -> None:
    with open_mesh(CHAOS_CALL_SECONDS="0.01,0.05") as mesh:
        await mesh.staff(2)
        await mesh.publish(posts(range(200)), partitioner=lambda key, every, available: every[hash(key) % len(every)])

        verdict = await mesh.judge("another partitioner")

    assert verdict.repaid == 0


@pytest.mark.timeout(300)
async def test_an_agent_fed_by_two_topics_never_has_two_turns_at_once(open_mesh: Open) -> None:
    with open_mesh(CHAOS_CALL_SECONDS="0.05,0.1") as mesh:
        await mesh.staff(3)
        both = [Post(number, f"c{number % 5}", topic=("orders", "refunds")[number % 2]) for number in range(200)]
        await mesh.publish(both)

        verdict = await mesh.judge("one agent, two topics", ordered=False)

    assert verdict.repaid == 0


@pytest.mark.timeout(300)
async def test_poison_is_set_aside_and_stops_nobody(open_mesh: Open) -> None:
    with open_mesh(CHAOS_CALL_SECONDS="0.01,0.05") as mesh:
        await mesh.staff(2)
        bad = {5, 25, 45, 65}
        await mesh.publish(
            Post(post.number, post.key, does="fail" if post.number in bad else "") for post in posts(range(80))
        )

        verdict = await mesh.judge("poison set", ordered=False)

    assert verdict.dead == len(bad)


@pytest.mark.timeout(300)
async def test_a_record_that_kills_its_process_is_given_up_alone(open_mesh: Open) -> None:
    with open_mesh(CHAOS_CALL_SECONDS="0.05,0.1") as mesh:
        await mesh.staff(2)
        killer = 50
        await mesh.publish(
            Post(post.number, post.key, does="kill" if post.number == killer else "") for post in posts(range(101))
        )
        supervisor = asyncio.create_task(_restart_the_dead(mesh))
        try:
            await mesh.settle(150)
        finally:
            supervisor.cancel()
        verdict = require("a killer among 100", mesh.fleet.history.read(), ordered=False)

    assert verdict.dead == 1


async def _restart_the_dead(mesh) -> None:
    noted: set[int] = set()
    while True:
        for worker in [each for each in mesh.fleet.workers if each.poll() is not None and each.pid not in noted]:
            noted.add(worker.pid)
            mesh.fleet.fault("killed by a record", worker)
            mesh.fleet.start()
        await asyncio.sleep(0.05)


@pytest.mark.timeout(300)
async def test_a_hot_key_leaves_the_cold_ones_alone(open_mesh: Open) -> None:
    cold = scale(100, 1000)
    with open_mesh(CHAOS_CALL_SECONDS="0.05,0.1", CHAOS_HANG_SECONDS=str(scale(10, 60))) as mesh:
        await mesh.staff(1)
        hot = [Post(number, "hot", does="hang" if number == 0 else "") for number in range(50)]
        await mesh.publish([*hot, *(Post(50 + number, f"cold-{number}") for number in range(cold))])
        reader_done = await mesh.settle(60, wanted=cold)
        facts = mesh.fleet.history.read()
        settled = {each.subject for each in facts if each.operation == "output"}
        assert reader_done
        assert "order-0" not in settled, "the hot key was not blocked: the run proves nothing"

        await mesh.judge("a blocked hot key and cold ones")


@pytest.mark.timeout(1800)
async def test_a_backlog_of_any_size_does_not_fill_the_memory(open_mesh: Open) -> None:
    backlog = scale(3_000, 100_000)
    with open_mesh(CHAOS_CALL_SECONDS="0.2,0.3", AGENTOPIC_MESSAGE_QUEUE_SIZE="1000", CHAOS_CONCURRENCY="2") as mesh:
        (worker,) = await mesh.staff(1)
        await mesh.publish(posts(range(50)))
        await until(lambda: bool(mesh.fleet.open_calls(worker)), "the worker is at work")
        before = _resident(worker.pid)
        await mesh.publish(posts(range(50, backlog)))
        await asyncio.sleep(5.0)  # time to read as much as it ever would
        after = _resident(worker.pid)

        assert after < before * 1.1 + 10_000_000, f"{before} bytes grew to {after}"

        assert await mesh.fleet.retire(worker) == 0
        await mesh.staff(1, CHAOS_CALL_SECONDS="0,0", CHAOS_CONCURRENCY="64")
        grown = f"{(after - before) / 1e6:.1f} MB"
        await mesh.judge("a backlog behind a slow service", seconds=900, memory_grew=grown)


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
