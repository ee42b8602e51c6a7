"""A journal of an earlier version is brought up in place, with what it holds."""

from __future__ import annotations

import asyncio
import sys
from importlib.resources import files

import asyncpg
import pytest

from agentopic.adapters.journal.postgres import Migrated, PostgresJournal, PostgresOptions, migrate
from agentopic.adapters.journal.postgres.migrations.chain import upgrade_text
from agentopic.adapters.journal.postgres.schema import VERSION
from agentopic.errors import ConfigError
from agentopic.ports.journal import ReplyAddress, StateChange
from agentopic.testing.journal_mesh import (
    GROUP,
    PLACE,
    delivery,
    digest,
    done,
    intent,
    journal_mesh,
    output,
)

FIRST = (files("agentopic.adapters.journal.postgres.migrations") / "0001.sql").read_text(encoding="utf-8")
LANE = digest(GROUP, "k")
CONTENT = """
CREATE TABLE version (number integer, functions text);
INSERT INTO version VALUES (1, 'of the first release');
CREATE FUNCTION held(me bigint) RETURNS SETOF effect LANGUAGE sql AS 'SELECT NULL::effect';
CREATE FUNCTION alive(me bigint) RETURNS void LANGUAGE sql AS '';
INSERT INTO process (groups, address, dead) VALUES ('{test.worker}', 'gone', true);
INSERT INTO mark VALUES ('test.worker', 'test.topic.task', 0, 2, NULL);
SELECT setval('pos', 10);
"""


async def stored_by_the_first_release(dsn: str) -> None:
    connection = await asyncpg.connect(dsn, server_settings={"search_path": "agentopic"})
    await connection.execute("CREATE SCHEMA agentopic")
    await connection.execute(FIRST)
    await connection.execute(CONTENT)
    await connection.execute(
        "INSERT INTO lane (id, \"group\", key, attempts, unsent, ready_at) VALUES ($1, $2, 'k', 1, 1, now())",
        LANE,
        GROUP,
    )
    for pos, name in enumerate((b"half", b"next"), 1):
        identity = digest(GROUP, "k", name.decode())
        await connection.execute(
            "INSERT INTO delivery VALUES ($1, $2, $3, $4, NULL, 'r', '{test.replies}', '{0}')",
            LANE,
            pos,
            identity,
            name,
        )
        await connection.execute("INSERT INTO seen VALUES ($1, now())", identity)
    await connection.execute(
        "INSERT INTO step VALUES ($1, $2, 3, $3, 1, 'tool', 'pay', now(), 'paid')",
        digest(GROUP, "k", "half"),
        digest("pay"),
        LANE,
    )
    await connection.execute("INSERT INTO agent VALUES ($1, 4, 'state')", LANE)
    await connection.execute(
        "INSERT INTO outbox (id, lane, topic, value, headers) VALUES (4, $1, 'test.topic.report', 'x', '')", LANE
    )
    await connection.close()


async def test_a_journal_of_the_first_release_goes_on(postgres_dsn: str) -> None:
    await stored_by_the_first_release(postgres_dsn)
    async with journal_mesh(lambda: PostgresJournal(PostgresOptions(dsn=postgres_dsn))) as mesh:
        member = await mesh.join()
        (turn,) = await member.take()
        state = await member.journal.load(LANE)
        (step,) = await member.open(intent(turn, "pay"))
        member.known[GROUP, PLACE] = 2
        repeat = await member.intake(
            delivery("next", request_id="r", reply_to=ReplyAddress("test.replies", 1)), delivery("new")
        )
        change = StateChange(expected=4, events=(b"5", b"6"))
        committed = await member.commit(done(turn, state=change, outbox=[output("y")]), sent=turn.unsent)
        heads = [committed.started[0].head]
        rest = await member.commit(done(committed.started[0]), sent=committed.rows)
        changed = await member.journal.load(LANE)

    assert (turn.head, turn.attempts, turn.version) == (b"half", 2, 4)
    assert [row.row.value for row in turn.unsent] == [b"x"]
    assert state is not None
    assert (state.version, state.snapshot, state.events) == (4, b"state", ())
    assert (step.result, step.fresh) == (b"paid", False)
    assert repeat.repeats == 1
    assert [*heads, *(lane.head for lane in rest.started)] == [b"next", b"new"]
    assert changed is not None
    assert (changed.version, changed.snapshot, changed.events) == (6, b"state", (b"5", b"6"))


async def test_an_upgraded_journal_has_the_tables_of_a_new_one(postgres_dsn: str) -> None:
    await stored_by_the_first_release(postgres_dsn)
    async with journal_mesh(lambda: PostgresJournal(PostgresOptions(dsn=postgres_dsn))) as mesh:
        await mesh.join()
    async with journal_mesh(lambda: PostgresJournal(PostgresOptions(dsn=postgres_dsn, schema="new"))) as mesh:
        await mesh.join()
    connection = await asyncpg.connect(postgres_dsn)

    columns = "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns"
    indexes = "SELECT tablename, replace(indexdef, schemaname || '.', '') FROM pg_indexes"
    described = [
        [
            sorted(map(tuple, await connection.fetch(f"{columns} WHERE table_schema = $1", schema))),
            sorted(map(tuple, await connection.fetch(f"{indexes} WHERE schemaname = $1", schema))),
        ]
        for schema in ("agentopic", "new")
    ]
    await connection.close()

    assert described[0] == described[1]


async def test_a_journal_of_this_version_is_used_as_it_is(postgres_dsn: str) -> None:
    program = f"""
import asyncio, sys
from agentopic.adapters.journal.postgres import PostgresJournal, PostgresOptions
asyncio.run(PostgresJournal(PostgresOptions(dsn={postgres_dsn!r})).start())
print(*sorted({{"alembic", "sqlalchemy"}} & set(sys.modules)))
"""

    loaded: list[list[str]] = []
    for _ in range(2):
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
        printed, _ = await process.communicate()
        loaded.append(printed.decode().split())

    assert loaded == [["alembic", "sqlalchemy"], []]


async def test_tables_can_be_brought_up_ahead_of_a_start(postgres_dsn: str) -> None:
    await stored_by_the_first_release(postgres_dsn)

    steps = [await migrate(PostgresOptions(dsn=postgres_dsn)) for _ in range(2)]

    assert steps == [Migrated(before=1, now=VERSION), Migrated(before=VERSION, now=VERSION)]


async def test_a_rehearsal_says_what_would_be_done_and_changes_nothing(postgres_dsn: str) -> None:
    await stored_by_the_first_release(postgres_dsn)
    options = PostgresOptions(dsn=postgres_dsn)

    rehearsed = [await migrate(options, rehearse=True) for _ in range(2)]

    assert rehearsed == [Migrated(before=1, now=VERSION)] * 2


async def test_functions_of_another_program_are_replaced_alone(postgres_dsn: str) -> None:
    options = PostgresOptions(dsn=postgres_dsn)
    await migrate(options)
    connection = await asyncpg.connect(postgres_dsn, server_settings={"search_path": "agentopic"})
    await connection.execute("UPDATE version SET functions = 'of another program'")
    await connection.close()

    steps = [await migrate(options, rehearse=True), await migrate(options), await migrate(options)]

    assert [each.functions_alone for each in steps] == [True, True, False]


async def test_a_step_that_fails_leaves_the_journal_as_it_was(postgres_dsn: str) -> None:
    await stored_by_the_first_release(postgres_dsn)
    connection = await asyncpg.connect(postgres_dsn, server_settings={"search_path": "agentopic"})
    await connection.execute("CREATE TABLE spend (of_somebody_else integer)")

    with pytest.raises(ConfigError):
        await migrate(PostgresOptions(dsn=postgres_dsn))

    assert await connection.fetchval("SELECT number FROM version") == 1
    assert await connection.fetchval("SELECT count(*) FROM pg_proc WHERE proname = 'held'") == 1
    await connection.execute("DROP TABLE spend")
    await connection.close()
    assert (await migrate(PostgresOptions(dsn=postgres_dsn))).before == 1


@pytest.mark.parametrize("stored", range(VERSION + 1))
def test_the_chain_leads_from_every_version_to_the_newest(stored: int) -> None:
    assert bool(upgrade_text(stored)) == (stored < VERSION)
