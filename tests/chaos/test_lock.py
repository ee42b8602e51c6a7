"""Whoever holds a lock and is stopped past its lease writes nothing outside any more: its fencing token is refused."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from agentopic.testing.proof import scale

from .conftest import Open
from .fleet import Worker, until
from .outside import Post
from .press import Press
from .shop_mesh import Mesh


@pytest.mark.timeout(900)
async def test_a_holder_stopped_past_its_lease_is_refused_by_its_token(open_mesh: Open, tmp_path: Path) -> None:
    stops = scale(1, 10)
    press = Press(tmp_path / "press.db")
    press.create()
    with open_mesh(CHAOS_SERVICE="lock_agent", CHAOS_PRESS=str(press.path)) as mesh:
        await mesh.staff(2)
        for stop in range(stops):
            first = stop * 20
            pages = [Post(number, f"printer-{number % 3}") for number in range(first, first + 20)]
            pages[5] = Post(first + 5, pages[5].key, does="stop")
            await mesh.publish(pages)
            holder = await _stopped(mesh, first + 5)
            mesh.fleet.fault("stop", holder)
            await until(lambda page=first + 5: _is_accepted(press, page), "the next holder prints the page")
            mesh.fleet.go_on(holder)
            await until(lambda count=stop + 1: _refused(press) >= count, "the page of the former holder is refused")

        verdict = await mesh.judge("lock holder stopped past its lease", refused=_refused(press))

    assert verdict.dead == 0
    for printer in {each.printer for each in press.pages()}:
        tokens = [each.token for each in press.pages() if each.accepted and each.printer == printer]
        assert tokens == sorted(tokens)
    accepted = Counter(each.number for each in press.pages() if each.accepted)
    assert set(accepted) == set(range(20 * stops)), "a page was not printed"
    # Others may come twice: printed by the former holder before it was stopped, and not yet in the journal.
    assert all(accepted[stop * 20 + 5] == 1 for stop in range(stops)), "the page of the former holder was printed"


async def _stopped(mesh: Mesh, page: int) -> Worker:
    """Return the worker that stands still over a page."""
    await until(lambda: bool(_standing_still(mesh)), f"a worker stands still over page {page}")
    return _standing_still(mesh)[0]


def _standing_still(mesh: Mesh) -> list[Worker]:
    living = [each for each in mesh.fleet.workers if each.poll() is None]
    return [each for each in living if Path(f"/proc/{each.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"]


def _is_accepted(press: Press, page: int) -> bool:
    return any(each.number == page and each.accepted for each in press.pages())


def _refused(press: Press) -> int:
    return sum(not each.accepted for each in press.pages())
