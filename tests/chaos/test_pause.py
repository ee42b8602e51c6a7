"""A stopped process is buried and comes back as another; drained ones pay nothing again; a storm of joins harms nobody."""

from __future__ import annotations

import asyncio

import pytest

from .conftest import Open
from .fleet import LEASE_SECONDS, until
from .outside import posts
from .report import scale


@pytest.mark.timeout(600)
async def test_a_worker_stopped_past_its_lease_does_no_harm_when_it_goes_on(open_mesh: Open) -> None:
    pauses = scale(1, 10)
    with open_mesh() as mesh:
        victim, _ = await mesh.staff(2)
        for pause in range(pauses):
            await mesh.publish(posts(range(pause * 150, (pause + 1) * 150)))
            await mesh.fleet.pause(victim, seconds=LEASE_SECONDS + 3.0)
            reborn = "starting as a new incarnation"
            await until(lambda wanted=pause + 1: mesh.fleet.logs().count(reborn) >= wanted, "it finds itself buried")

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
        await mesh.publish(posts(range(rounds * 100)))
        for _ in range(rounds):
            (guest,) = await mesh.staff(1)
            await until(lambda: bool(mesh.fleet.open_calls(guest)) or guest.poll() is not None, "the guest works")
            await asyncio.sleep(1.0)  # it stays for a moment
            assert await mesh.fleet.retire(guest) == 0

        verdict = await mesh.judge("joins and leaves")

    assert verdict.repaid == 0
