"""A process that joins takes its share of what is stored at once."""

from __future__ import annotations

import time

import pytest

from agentopic.testing.proof import require, scale

from .conftest import Open
from .fleet import until
from .outside import posts


@pytest.mark.timeout(900)
async def test_a_second_process_works_at_full_concurrency_within_a_second(open_mesh: Open) -> None:
    tasks, slots = scale(200, 1000), scale(32, 100)
    seconds = scale(3, 10)
    with open_mesh(CHAOS_CALL_SECONDS=f"{seconds},{seconds}", CHAOS_CONCURRENCY=str(slots)) as mesh:
        (first,) = await mesh.staff(1)
        await mesh.publish(posts(range(tasks), keys=tasks))
        await until(lambda: len(mesh.fleet.open_calls(first)) == slots, "the first process is full")
        (second,) = await mesh.staff(1)
        joined = time.time()
        await until(lambda: len(mesh.fleet.open_calls(second)) == slots, "the second process is full", 30)
        facts = mesh.fleet.history.read()
        begun = sorted(each.at for each in facts if each.process == str(second.pid) and each.operation == "call")
        full_after = begun[slots - 1] - joined
        await mesh.settle(600)
        verdict = require(
            "stored tasks, a second process", mesh.fleet.history.read(), seconds_to_full=round(full_after, 2)
        )

    assert verdict.repaid == 0
    assert full_after <= 1.0
