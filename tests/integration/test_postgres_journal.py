"""The PostgreSQL journal under what only a real server does: crashes, lost answers, races of processes."""

from __future__ import annotations

import asyncio
import random
import sys
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import pairwise
from pathlib import Path

import asyncpg
import pytest

from agentopic.adapters.journal.postgres import PostgresJournal, PostgresOptions
from agentopic.errors import ConfigError, JournalUnavailableError, ProcessBuriedError, UnreachableError
from agentopic.ports.transport import TopicPartition
from agentopic.testing import PostgresServer
from agentopic.testing.journal_mesh import (
    GROUP,
    JournalMesh,
    Member,
    delivery,
    done,
    eventually,
    journal_mesh,
    output,
)
from agentopic.testing.wire import wire


@pytest.fixture
async def mesh(postgres_dsn: str) -> AsyncGenerator[JournalMesh]:
    async with journal_mesh(lambda: PostgresJournal(PostgresOptions(dsn=postgres_dsn))) as opened:
        yield opened


@asynccontextmanager
async def joined(dsn: str, *, command_seconds: float = 30.0) -> AsyncGenerator[Member]:
    journal = PostgresJournal(PostgresOptions(dsn=dsn, command_seconds=command_seconds))
    await journal.start()
    try:
        yield Member(journal=journal, id=await journal.join([GROUP], "here"), known={})
    finally:
        await journal.aclose()


# ── several processes ──────────────────────────────────────────────────────────────────────────────────────


async def test_processes_that_race_for_lanes_run_each_delivery_once_and_in_order(
    mesh: JournalMesh, postgres_dsn: str
) -> None:
    member = await mesh.join()
    total, lanes = 400, 20
    await member.intake(*(delivery(f"{number:04}", f"k{number % lanes}") for number in range(total)))

    racers = [await _racer(postgres_dsn, slots) for slots in (3, 5)]
    outputs = await asyncio.gather(*(_race(racer) for racer in racers))

    heads = [head for printed in outputs for head in printed]
    assert sorted(heads) == [f"{number:04}" for number in range(total)]
    assert all(outputs), "one process did all the work"
    for printed in outputs:
        by_lane: dict[int, list[str]] = defaultdict(list)
        for head in printed:
            by_lane[int(head) % lanes].append(head)
        assert all(sorted(run) == run for run in by_lane.values())


async def _racer(dsn: str, slots: int) -> asyncio.subprocess.Process:
    """Return a process that stands at the line."""
    program = str(Path(__file__).with_name("journal_racer.py"))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, program, dsn, str(slots), stdin=pipe, stdout=pipe)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    return process


async def _race(process: asyncio.subprocess.Process) -> list[str]:
    printed, _ = await process.communicate(b"go\n")
    assert process.returncode == 0
    return printed.decode().split()


async def test_no_wake_up_is_lost_between_intakes_and_commits_on_few_lanes(mesh: JournalMesh) -> None:
    members = [await mesh.join() for _ in range(5)]
    finished: dict[str, list[tuple[int, bytes]]] = defaultdict(list)
    stored = 0

    async def work(number: int, member: Member) -> None:
        nonlocal stored
        dice = random.Random(number)
        place = TopicPartition("test.topic.task", number)
        for round_number in range(60):
            name = f"{number}-{round_number}"
            batch = [delivery(f"{name}-{key}", f"k{key}", place=place) for key in dice.sample(range(3), k=2)]
            stored += len(batch)
            lanes = [*(await member.intake(*batch, free=2)).started, *await member.take(1)]
            while lanes:
                lane = lanes.pop()
                if lane.pos is None:
                    await member.commit(sent=lane.unsent)
                    continue
                committed = await member.commit(done(lane, outbox=[output("x")]), sent=lane.unsent)
                assert not committed.lost
                finished[lane.key].append((lane.pos, lane.head))
                await member.commit(sent=committed.rows)
                lanes += committed.started

    await asyncio.gather(*(work(number, member) for number, member in enumerate(members)))

    backlog = (await members[0].journal.backlog([GROUP]))[GROUP]
    assert (backlog.deliveries, backlog.unsent) == (0, 0)
    assert sum(map(len, finished.values())) == stored
    for runs in finished.values():
        assert all(before[0] < after[0] for before, after in pairwise(runs))
    assert not await members[0].take(16)


async def test_a_peer_stopped_while_it_reads_a_result_is_buried_all_the_same(
    mesh: JournalMesh, postgres_dsn: str
) -> None:
    member = await mesh.join()
    await member.intake(*(delivery("a", f"k{number}", body=b"x" * 4_000_000) for number in range(8)))
    async with wire(postgres_dsn) as (relay, address), joined(address) as victim:
        await victim.take(0)  # the statement is prepared: from here on a call is one exchange
        relay.hold_answers()
        taking = asyncio.create_task(victim.take(8))
        await eventually(lambda: _holds_locks(postgres_dsn))

        await member.bury(victim)

        lanes = await member.take(8)
        assert [lane.crashes for lane in lanes] == [0] * 8
        await relay.aclose()
        with pytest.raises(JournalUnavailableError):
            await taking


async def _holds_locks(dsn: str) -> bool:
    """Whether a session is stuck in writing an answer."""
    connection = await asyncpg.connect(dsn)
    try:
        count = await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'ClientWrite' AND datname = current_database()"
        )
    finally:
        await connection.close()
    return bool(count)


async def test_processes_that_start_together_make_one_schema(postgres_dsn: str) -> None:
    async with AsyncExitStack() as stack:
        members = await asyncio.gather(*(stack.enter_async_context(joined(postgres_dsn)) for _ in range(6)))

        assert len({member.id for member in members}) == 6


async def test_two_schemas_of_one_database_are_apart(postgres_dsn: str) -> None:
    one = PostgresJournal(PostgresOptions(dsn=postgres_dsn, schema="one"))
    two = PostgresJournal(PostgresOptions(dsn=postgres_dsn, schema="two"))
    async with journal_mesh(lambda: one) as left, journal_mesh(lambda: two) as right:
        member, other = await left.join(), await right.join()
        await member.intake(delivery("a"))

        assert not await other.take()
        assert len(await member.take()) == 1


# ── a server that goes away ────────────────────────────────────────────────────────────────────────────────


async def test_nothing_committed_is_lost_when_the_server_is_killed_under_load(
    postgres_server: PostgresServer,
) -> None:
    async with joined(postgres_server.dsn) as member:
        acknowledged: list[bytes] = []
        unavailable = asyncio.Event()

        async def store() -> None:
            for number in range(10_000):
                name = f"{number:05}"
                try:
                    taken = await member.intake(delivery(name, f"k{number % 7}"))
                except JournalUnavailableError:
                    unavailable.set()
                    return
                assert not taken.stale
                acknowledged.append(name.encode())

        storing = asyncio.create_task(store())
        await eventually(lambda: asyncio.sleep(0, len(acknowledged) > 50))
        postgres_server.kill()
        await asyncio.wait_for(unavailable.wait(), 10)
        with pytest.raises(JournalUnavailableError):
            await member.take()
        await asyncio.to_thread(postgres_server.start)
        await storing

        heads = await member.finish_everything()

    # The last one may have been stored although its answer never came.
    assert set(acknowledged) <= set(heads)
    assert len(heads) - len(acknowledged) in {0, 1}


async def test_a_heart_beats_again_after_a_restart(postgres_server: PostgresServer) -> None:
    async with joined(postgres_server.dsn) as member, member.journal.heart(member.id) as heart:
        await heart.beat()

        await asyncio.to_thread(postgres_server.restart)
        await heart.beat()

        async with joined(postgres_server.dsn) as other:
            assert [peer.beat for peer in await other.journal.peers(other.id)] == [2]


async def test_a_server_that_does_not_answer_fails_the_call_in_time(postgres_server: PostgresServer) -> None:
    async with joined(postgres_server.dsn, command_seconds=0.5) as member:
        postgres_server.pause()
        with pytest.raises(JournalUnavailableError):
            await member.take()
        postgres_server.resume()

        assert not await member.take()


async def test_what_an_unanswered_intake_started_is_held(postgres_dsn: str) -> None:
    async with wire(postgres_dsn) as (relay, address), joined(address) as member:
        await member.intake()  # the statement is prepared: from here on a call is one exchange
        relay.loses_answers = True
        with pytest.raises(JournalUnavailableError):
            await member.intake(delivery("a", "x"), delivery("b", "y"), free=1)
        relay.loses_answers = False

        (lane,) = (await member.journal.held(member.id)).lanes

        assert (lane.head, lane.attempts) == (b"a", 1)
        assert not (await member.commit(done(lane))).lost


async def test_what_an_unanswered_commit_stored_is_held(postgres_dsn: str) -> None:
    async with wire(postgres_dsn) as (relay, address), joined(address) as member:
        (lane,) = await member.run(delivery("a"), delivery("b"))
        turn = done(lane, outbox=[output("x")])
        await member.commit()  # the statement is prepared: from here on a call is one exchange
        relay.loses_answers = True
        with pytest.raises(JournalUnavailableError):
            await member.commit(turn)
        relay.loses_answers = False

        (held,) = (await member.journal.held(member.id)).lanes
        repeated = await member.commit(turn)

        assert (held.head, held.attempts, [row.row for row in held.unsent]) == (b"b", 1, [output("x")])
        assert set(repeated.lost) == {lane.lane}


async def test_a_process_buried_while_it_was_cut_off_learns_it_on_return(mesh: JournalMesh, postgres_dsn: str) -> None:
    member = await mesh.join()
    async with wire(postgres_dsn) as (relay, address), joined(address) as other:
        relay.loses_answers = True
        with pytest.raises(JournalUnavailableError):
            await other.take()
        await member.bury(other)
        relay.loses_answers = False

        with pytest.raises(ProcessBuriedError):
            await other.take()


# ── starting ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_newer_schema_is_refused(mesh: JournalMesh, postgres_dsn: str) -> None:
    await mesh.join()
    connection = await asyncpg.connect(postgres_dsn)
    await connection.execute("UPDATE agentopic.version SET number = number + 1")
    await connection.close()

    with pytest.raises(ConfigError, match="version 3"):
        await PostgresJournal(PostgresOptions(dsn=postgres_dsn)).start()


async def test_functions_of_another_text_are_replaced_and_data_stays(mesh: JournalMesh, postgres_dsn: str) -> None:
    member = await mesh.join()
    await member.intake(delivery("a"))
    connection = await asyncpg.connect(postgres_dsn)
    await connection.execute("UPDATE agentopic.version SET functions = 'other'")
    await connection.execute("DROP FUNCTION agentopic.take")
    await connection.close()

    async with joined(postgres_dsn) as newcomer:
        assert [lane.head for lane in await newcomer.take()] == [b"a"]


async def test_an_unreachable_server_is_named_without_its_password() -> None:
    options = PostgresOptions(dsn="postgresql://me:secret@127.0.0.1:1/journal", start_seconds=0.0)

    with pytest.raises(UnreachableError) as caught:
        await PostgresJournal(options).start()

    assert "127.0.0.1:1" in str(caught.value)
    assert "secret" not in str(caught.value)


async def test_a_database_that_does_not_exist_is_a_matter_of_settings(postgres_dsn: str) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        await PostgresJournal(PostgresOptions(dsn=f"{postgres_dsn}_none")).start()


@pytest.mark.parametrize(("dsn", "schema"), [("mysql://h/x", "agentopic"), ("postgresql://h/x", 'a"; DROP')])
def test_settings_that_cannot_work_are_refused_at_once(dsn: str, schema: str) -> None:
    with pytest.raises(ConfigError):
        PostgresOptions(dsn=dsn, schema=schema)
