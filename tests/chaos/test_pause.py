"""A stopped process is buried and comes back as another; drained ones pay nothing again; joins disturb nobody."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from agentopic.testing.proof import scale

from .conftest import Open
from .fleet import LEASE_SECONDS, Fleet, Worker, until
from .outside import posts


@pytest.mark.timeout(600)
async def test_a_worker_stopped_past_its_lease_does_no_harm_when_it_goes_on(open_mesh: Open) -> None:
    pauses = scale(1, 10)
    with open_mesh() as mesh:
        victim, _ = await mesh.staff(2)
        for pause in range(pauses):
            await mesh.publish(posts(range(pause * 150, (pause + 1) * 150)))
            await mesh.fleet.pause(victim, seconds=LEASE_SECONDS + 3.0)
            await until(partial(_is_reborn, mesh.fleet, pause + 1), "it finds itself buried")

        await mesh.judge("SIGSTOP past the lease")


@pytest.mark.timeout(600)
async def test_a_rolling_restart_pays_nothing_again(open_mesh: Open) -> None:
    rounds = scale(1, 10)
    with open_mesh() as mesh:
        await mesh.staff(2)
        for each in range(rounds):
            await mesh.publish(posts(range(each * 200, (each + 1) * 200)))
            for worker in [worker for worker in mesh.fleet.workers if worker.poll() is None]:
                await mesh.fleet.in_flight(worker)
                await mesh.staff(1)
                assert await mesh.fleet.retire(worker) == 0

        verdict = await mesh.judge("rolling SIGTERM")

    assert verdict.repaid == 0


@pytest.mark.timeout(600)
async def test_members_that_come_and_go_disturb_nobody(open_mesh: Open) -> None:
    rounds = scale(4, 30)
    with open_mesh() as mesh:
        await mesh.staff(1)
        for each in range(rounds):
            before, after = each * 200, each * 200 + 100
            await mesh.publish(posts(range(before, after)))
            (guest,) = await mesh.staff(1)
            await mesh.publish(posts(range(after, after + 100)))
            await until(partial(_is_at_work, mesh.fleet, guest), "the guest works")
            await asyncio.sleep(1.0)  # it stays for a moment
            assert await mesh.fleet.retire(guest) == 0

        verdict = await mesh.judge("joins and leaves")

    assert verdict.repaid == 0


def _is_reborn(fleet: Fleet, times: int) -> bool:
    return fleet.logs().count("starting as a new incarnation") >= times


def _is_at_work(fleet: Fleet, worker: Worker) -> bool:
    return bool(fleet.open_calls(worker))
