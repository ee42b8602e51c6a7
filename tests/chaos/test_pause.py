"""A stopped process is buried and comes back as another; a drained one leaves nothing to pay again."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from .fleet import Fleet, until
from .outside import check, publish_plainly, read_late

ORDERS = 200


@pytest.mark.timeout(180)
async def test_a_worker_stopped_past_its_lease_does_no_harm_when_it_goes_on(
    kafka: str, postgres_dsn: str, ns: str, tmp_path: Path
) -> None:
    with Fleet(tmp_path, transport=f"kafka://{kafka}", journal=postgres_dsn, namespace=ns) as fleet:
        victim, _ = fleet.start(), fleet.start()
        await until(lambda: fleet.ready() >= 2, "two workers are ready")
        await publish_plainly(kafka, f"{ns}.topic.orders", ORDERS)
        stopped = Counter(await fleet.pause_in_flight(victim, seconds=7.0))
        receipts = await read_late(kafka, f"{ns}.topic.receipts", ORDERS)
        await until(lambda: "starting as a new incarnation" in fleet.logs(), "the stopped worker finds itself buried")

    assert stopped, "the pause hit nothing: the run proves nothing"
    check(receipts, fleet, stopped)


@pytest.mark.timeout(180)
async def test_rolling_restart_pays_nothing_again(kafka: str, postgres_dsn: str, ns: str, tmp_path: Path) -> None:
    with Fleet(tmp_path, transport=f"kafka://{kafka}", journal=postgres_dsn, namespace=ns) as fleet:
        workers = [fleet.start(), fleet.start()]
        await until(lambda: fleet.ready() >= 2, "two workers are ready")
        await publish_plainly(kafka, f"{ns}.topic.orders", ORDERS)
        for worker in workers:
            await until(lambda each=worker: bool(fleet.ledger.open_calls(each.pid)), "a paid call is open")
            fleet.start()
            assert await fleet.retire(worker) == 0
        receipts = await read_late(kafka, f"{ns}.topic.receipts", ORDERS)

    check(receipts, fleet, Counter())
