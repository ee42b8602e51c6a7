"""What grows with time: the turns of one long conversation, and the journal under steady load with a retention."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from typing import Any

import asyncpg

from agentopic.adapters.journal.postgres import PostgresJournal, PostgresOptions
from agentopic.testing import KafkaServer, PostgresServer, fresh_database
from benchmarks._child import service
from benchmarks._probe import Probe, probe
from benchmarks._scale import scaled
from benchmarks.journal import Lanes, deliveries

_TURNS = 1_010
_WINDOW = 20
_PERIODS = 5
_BATCH = 200
_SIZE = """
SELECT sum(pg_total_relation_size(c.oid))::bigint FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relkind IN ('r', 'p')
"""


def run() -> dict[str, object]:
    """Return both, and what the project wants of each."""
    with KafkaServer() as kafka, PostgresServer() as postgres:
        return asyncio.run(_run(f"kafka://{kafka.bootstrap}", postgres.dsn))


async def _run(transport: str, server: str) -> dict[str, object]:
    async with fresh_database(server, "growth") as dsn:
        conversation = await _conversation(transport, dsn)
    async with fresh_database(server, "retention") as dsn:
        journal = await _journal(dsn)
    return {"turns of one conversation": conversation, "journal with retention": journal}


async def _conversation(transport: str, journal: str) -> dict[str, Any]:
    """Take turn after turn with one agent that keeps state, each sent when the one before is done."""
    with service("keeper", transport, journal, "growth", 10.0):
        async with probe(transport, "growth") as meter:
            took = [await _turn(meter) for _ in range(_TURNS)]
    early = statistics.median(took[10 - _WINDOW // 2 : 10 + _WINDOW // 2])
    late = statistics.median(took[1000 - _WINDOW // 2 : 1000 + _WINDOW // 2])
    return {
        "turn 10, ms": round(early * 1000, 2),
        "turn 1,000, ms": round(late * 1000, 2),
        "ratio": round(late / early, 2),
        "wanted_ratio": 2.0,
    }


async def _turn(meter: Probe) -> float:
    number = await meter.send("what next?", key="one conversation")
    while number not in meter.seen:  # noqa: ASYNC110 - the reader is another task
        await asyncio.sleep(0.0005)
    return meter.seen[number].visible - meter.sent[number]


async def _journal(dsn: str) -> dict[str, Any]:
    """Run turns for several retention periods, sweeping as a service does, and compare the sizes after each.

    The retention is as long as the first period took: an hour at the pace of a service, some seconds here.
    """
    schema = "agentopic"
    lanes = await Lanes.open(dsn, schema=schema)
    sweeper = PostgresJournal(PostgresOptions(dsn=dsn, schema=schema))
    await sweeper.start()
    database = await asyncpg.connect(dsn)
    batches = scaled(20_000, least=2_000) // _BATCH
    sizes, retention = [], 0.0
    for period in range(_PERIODS):
        began = time.monotonic()
        for number in range(batches):
            await lanes.batch(deliveries(f"{period} {number}"))
            if retention and number % max(1, batches // 5) == 0:
                await sweeper.sweep(retention)
        retention = retention or time.monotonic() - began
        await database.execute("VACUUM")
        sizes.append((await database.fetchval(_SIZE, schema)) / 2**20)
    await database.close()
    await sweeper.aclose()
    await lanes.aclose()
    return {
        "turns": batches * _BATCH * _PERIODS,
        "retention_seconds": round(retention, 1),
        "mib_after_each_period": [round(size, 1) for size in sizes],
        "last_against_second": round(sizes[-1] / sizes[1], 2),
        "wanted_last_against_second": 1.2,
    }


if __name__ == "__main__":
    json.dump(run(), sys.stdout, indent=2)
