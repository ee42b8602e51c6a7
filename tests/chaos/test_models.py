"""Model calls under fault: a provider that fails half of them, workers that are killed; each question ends once."""

from __future__ import annotations

import pytest

from agentopic.testing.proof import scale

from .conftest import Open
from .moody_provider import MoodyProvider
from .outside import posts


@pytest.mark.timeout(600)
async def test_a_moody_provider_and_kills_cost_no_answer(open_mesh: Open) -> None:
    count, kills = scale(80, 1000), scale(1, 10)
    with open_mesh(CHAOS_CONCURRENCY="8") as mesh:
        async with MoodyProvider(mesh.fleet.history) as provider:
            await mesh.staff(2, CHAOS_MODEL=provider.base_url)
            await mesh.publish(posts(range(count)))
            for _ in range(kills):
                await mesh.fleet.kill(next(each for each in mesh.fleet.workers if each.poll() is None))
                await mesh.staff(1, CHAOS_MODEL=provider.base_url)

            verdict = await mesh.judge("a moody model provider", seconds=240, calls_failed=provider.failed)

    assert provider.failed > count / 4
    assert verdict.dead == 0
