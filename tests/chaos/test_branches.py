"""Turns with parallel branches, killed in the middle: none sleeps on because one of its branches waits for a person."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from agentopic import DurableRuntime
from agentopic.testing.proof import require, scale

from .embedded import client, publish_embedded, read_embedded
from .fleet import Fleet, until

PARTS = 3
ENVIRONMENT = {"CHAOS_SERVICE": "branch_agent", "CHAOS_CALL_SECONDS": "0.1,0.3"}


@pytest.mark.timeout(600)
async def test_a_killed_turn_works_on_while_one_of_its_branches_waits_for_a_person(ns: str, tmp_path: Path) -> None:
    orders, kills = scale(24, 200), scale(2, 12)
    database = f"sqlite:///{tmp_path}/mesh.db"
    with Fleet(tmp_path, transport=database, journal=database, namespace=ns, **ENVIRONMENT) as fleet:
        fleet.start()
        fleet.start()
        await fleet.ready(2)
        async with client(database, ns) as outside:
            await publish_embedded(outside, fleet, range(orders), keys=orders)
            for _ in range(kills):
                await _kill_the_busiest(fleet)
                fleet.start()
            # Nobody answers before all the rest is done: a turn that slept until then would never get there.
            wanted = {f"pay-{number}-{part}" for number in range(orders) for part in range(PARTS)}
            await until(lambda: wanted <= _paid(fleet), "every branch has worked on", 120)
            waiting = await _answer_all(outside, orders * PARTS)
            await read_embedded(database, ns, fleet, orders)

        verdict = require("kill -9, turns with branches (SQLite)", fleet.history.read(), questions=waiting)

    assert verdict.dead == 0


async def _kill_the_busiest(fleet: Fleet) -> None:
    living = [each for each in fleet.workers if each.poll() is None]
    await until(lambda: any(len(fleet.open_calls(each)) > 1 for each in living), "a worker has several calls open")
    await asyncio.sleep(random.uniform(0.0, 1.0))  # a kill may meet any moment of a turn
    await fleet.kill(max(living, key=lambda worker: len(fleet.open_calls(worker))))


def _paid(fleet: Fleet) -> set[str]:
    return {each.subject for each in fleet.history.read() if each.operation == "call" and each.phase == "ok"}


async def _answer_all(outside: DurableRuntime, count: int) -> int:
    """Answer so many questions; how many there were."""
    answered = set[bytes | str]()
    async with asyncio.timeout(60):
        while len(answered) < count:
            for question in await outside.control.questions(["cashier"]):
                await outside.control.answer(question.id, question.agent, "yes")
                answered.add(question.id)
            await asyncio.sleep(0.1)  # the person looks again
    return len(answered)
