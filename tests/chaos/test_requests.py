"""Requests under fault: callers and callees die, a thousand ask at once; each request has exactly one end."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import pytest

from agentopic.testing.proof import require, scale

from .asking import ask_all
from .conftest import Open
from .fleet import HERE, until


@pytest.mark.timeout(600)
async def test_every_request_has_one_end_while_callees_are_killed(open_mesh: Open, postgres_dsn: str, ns: str) -> None:
    count, kills = scale(200, 5000), scale(1, 10)
    with open_mesh(CHAOS_CALL_SECONDS="0.1,0.3", CHAOS_CONCURRENCY="16") as mesh:
        await mesh.staff(2)
        asking = asyncio.create_task(ask_all(mesh, postgres_dsn, range(count)))
        for _ in range(kills):
            living = [each for each in mesh.fleet.workers if each.poll() is None]
            await mesh.fleet.kill(living[0])
            await mesh.staff(1)
        await asking

        verdict = require("requests, callees killed", mesh.fleet.history.read())

    assert verdict.operations >= count


@pytest.mark.timeout(300)
async def test_a_thousand_requests_at_once_are_answered_once_each(open_mesh: Open, postgres_dsn: str) -> None:
    with open_mesh(CHAOS_CALL_SECONDS="0.01,0.05", CHAOS_CONCURRENCY="64") as mesh:
        await mesh.staff(2)
        await ask_all(mesh, postgres_dsn, range(1000))

        verdict = require("1,000 requests at once", mesh.fleet.history.read())

    assert verdict.repaid == 0


@pytest.mark.timeout(300)
async def test_a_caller_that_died_asks_again_and_gets_the_stored_answer(
    open_mesh: Open, kafka: str, postgres_dsn: str, ns: str
) -> None:
    count = 40
    with open_mesh(CHAOS_CALL_SECONDS="0.3,0.6", CHAOS_CONCURRENCY="16") as mesh:
        (worker,) = await mesh.staff(1)
        history = mesh.fleet.history
        program = [sys.executable, "-c", _CALLER, kafka, postgres_dsn, ns, str(count)]
        caller = subprocess.Popen(  # noqa: ASYNC220 - it returns at once
            program, env={**os.environ, "PYTHONPATH": str(HERE)}, cwd=mesh.fleet.directory
        )
        await until(lambda: len(mesh.fleet.open_calls(worker)) > 4, "some requests are being answered")
        caller.kill()
        caller.wait()
        history.note("fault", "ok", "caller killed", hit=sorted(mesh.fleet.open_calls(worker)))
        await ask_all(mesh, postgres_dsn, range(count))

        verdict = require("requests, caller killed", history.read())

    assert verdict.repaid == 0, "the callee was asked once and paid twice"


_CALLER = """
import asyncio, sys
from agentopic import DurableRuntime
from agentopic.core import AgentId, try_get_known_serializers_for_type
from ledger_agent import Receipt

async def main(kafka, journal, namespace, count):
    client = DurableRuntime(f"kafka://{kafka}", journal, namespace=namespace)
    client.add_message_serializer(try_get_known_serializers_for_type(Receipt))
    await client.start()
    asked = Receipt(number=0, paid="", turns=0)
    await asyncio.gather(*(
        client.send_message(asked.model_copy(update={"number": n}), AgentId("cashier", f"c{n}"), message_id=f"ask-{n}")
        for n in range(int(count))
    ))

asyncio.run(main(*sys.argv[1:]))
"""
