"""The PostgreSQL journal at the one moment a race is decided: a delivery is stored while its lane is being finished."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import asyncpg
import pytest

from agentopic.adapters.journal.postgres import PostgresJournal, PostgresOptions
from agentopic.testing.journal_mesh import GROUP, JournalMesh, delivery, digest, done, eventually, journal_mesh


@pytest.fixture
async def mesh(postgres_dsn: str) -> AsyncGenerator[JournalMesh]:
    async with journal_mesh(lambda: PostgresJournal(PostgresOptions(dsn=postgres_dsn))) as opened:
        yield opened


async def test_a_commit_that_waits_for_its_lane_sees_what_was_stored_there_meanwhile(
    mesh: JournalMesh, postgres_dsn: str
) -> None:
    member = await mesh.join()
    (lane,) = await member.run(delivery("a"))
    await member.intake(delivery("b", "elsewhere"))
    intake = await asyncpg.connect(postgres_dsn, server_settings={"search_path": "agentopic"})
    try:
        async with intake.transaction():
            await intake.execute("SELECT FROM lane WHERE id = $1 FOR UPDATE", lane.lane)
            committing = asyncio.create_task(member.commit(done(lane)))
            await eventually(lambda: intake.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))
            await intake.execute(
                "UPDATE delivery SET lane = $1, pos = nextval('pos') WHERE lane = $2",
                lane.lane,
                digest(GROUP, "elsewhere"),
            )

        committed = await committing
    finally:
        await intake.close()

    assert [each.head for each in committed.started] == [b"b"]
