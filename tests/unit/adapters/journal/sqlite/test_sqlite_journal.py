from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from agentopic.adapters.journal.sqlite import SqliteJournal, SqliteOptions
from agentopic.adapters.journal.sqlite.database import Database
from agentopic.adapters.transport.sqlite import SqliteTransport
from agentopic.adapters.transport.sqlite_session import SqliteTransportOptions
from agentopic.errors import (
    ConfigError,
    JournalUnavailableError,
    ProcessBuriedError,
    UnreachableError,
    ValueRefusedError,
)
from agentopic.ports.journal import IntakeBatch, MarkAdvance
from agentopic.testing.journal_mesh import GROUP, PLACE, Member, delivery, done, output

JOIN = """
import asyncio, sys
from pathlib import Path
from agentopic.adapters.journal.sqlite import SqliteJournal, SqliteOptions
from agentopic.testing.journal_mesh import GROUP, Member, delivery

async def main():
    journal = SqliteJournal(SqliteOptions(path=Path(sys.argv[1])))
    await journal.start()
    member = Member(journal=journal, id=await journal.join([GROUP], ""), known={})
"""

HOLD_A_LANE = (
    JOIN
    + """
    await member.run(delivery("a"))
    print(member.id, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""
)

STOP_IN_A_TRANSACTION = (
    JOIN
    + """
    def hold(tx):
        tx.execute("DELETE FROM j_process")
        print(member.id, flush=True)
        sys.stdin.read()
    await journal._database.write(hold)

asyncio.run(main())
"""
)

FINISH_EVERYTHING = (
    JOIN
    + """
    for head in await member.finish_everything():
        print(head.decode(), flush=True)
    await journal.leave(member.id)
    await journal.aclose()

asyncio.run(main())
"""
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@asynccontextmanager
async def opened(path: Path) -> AsyncGenerator[Member]:
    journal = SqliteJournal(SqliteOptions(path=path))
    await journal.start()
    try:
        yield Member(journal=journal, id=await journal.join([GROUP], ""), known={})
    finally:
        await journal.aclose()


@asynccontextmanager
async def program(text: str, path: Path) -> AsyncGenerator[Process]:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", text, str(path), stdin=PIPE, stdout=PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def database_of(member: Member) -> Database:
    assert isinstance(member.journal, SqliteJournal)
    return member.journal._database


def limit_pages(database: Database, pages: int) -> None:
    assert database._connection is not None
    database._connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()


def has_lock_file(path: Path, member: Member) -> bool:
    return Path(f"{path}.p{member.id}").exists()


def remove_lock_file(path: Path, member: Member) -> None:
    Path(f"{path}.p{member.id}").unlink()


async def line(process: Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()


async def test_a_killed_process_is_gone_at_once_and_a_living_one_is_not(path: Path) -> None:
    async with opened(path) as member, program(HOLD_A_LANE, path) as victim:
        victim_id = int(await line(victim))
        (alive,) = await member.journal.peers(member.id)

        victim.kill()
        await victim.wait()
        (dead,) = await member.journal.peers(member.id)
        await member.journal.bury(member.id, dead)

        assert (alive.id, alive.gone) == (victim_id, False)
        assert (dead.gone, dead.beat) == (True, alive.beat)
        (lane,) = await member.take()
        assert (lane.head, lane.crashes) == (b"a", 1)


async def test_a_process_killed_inside_a_transaction_leaves_no_trace_and_blocks_nobody(path: Path) -> None:
    async with opened(path) as member, program(STOP_IN_A_TRANSACTION, path) as victim:
        await line(victim)
        call = asyncio.ensure_future(member.take())
        await asyncio.sleep(0)

        victim.kill()
        await victim.wait()

        assert not await call
        assert len(await member.journal.peers(member.id)) == 1


async def test_programs_that_race_for_lanes_run_every_delivery_once(path: Path) -> None:
    names = [str(number) for number in range(60)]
    async with opened(path) as member:
        await member.intake(*(delivery(name, f"k{int(name) % 20}") for name in names))

    async with program(FINISH_EVERYTHING, path) as one, program(FINISH_EVERYTHING, path) as two:
        outputs = [await process.communicate() for process in (one, two)]

    heads = [head for text, _ in outputs for head in text.decode().split()]
    assert sorted(heads) == sorted(names)
    for part in ([head for head in text.decode().split() if int(head) % 20 == 0] for text, _ in outputs):
        assert part == sorted(part, key=int)


async def test_two_that_look_at_once_do_not_see_each_other_look(path: Path) -> None:
    async with opened(path) as one, opened(path) as two, program(HOLD_A_LANE, path) as victim:
        await line(victim)
        victim.kill()
        await victim.wait()

        looks = await asyncio.gather(*(member.journal.peers(member.id) for member in (one, two) * 10))

        assert all(peer.gone for look in looks for peer in look if peer.id not in (one.id, two.id))


async def test_the_lock_file_of_a_process_goes_when_it_leaves(path: Path) -> None:
    async with opened(path) as member:
        assert has_lock_file(path, member)

        await member.journal.leave(member.id)

        assert not has_lock_file(path, member)


async def test_the_lock_file_of_a_process_goes_when_it_is_buried(path: Path) -> None:
    async with opened(path) as one, opened(path) as two:
        await two.bury(one)

        assert not has_lock_file(path, one)
        with pytest.raises(ProcessBuriedError):
            await one.take()


async def test_without_a_lock_file_nothing_is_proved(path: Path) -> None:
    async with opened(path) as one:
        async with opened(path) as two:
            remove_lock_file(path, two)

        (peer,) = await one.journal.peers(one.id)

        assert not peer.gone


async def test_directories_are_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "journal.db"

    async with opened(path):
        assert path.exists()


async def test_writes_are_synchronised_and_logged_ahead(path: Path) -> None:
    async with opened(path) as member:
        modes = await database_of(member).read(
            lambda tx: (tx.row("PRAGMA journal_mode")[0], tx.row("PRAGMA synchronous")[0])
        )

    assert modes == ("wal", 2)


async def test_a_path_that_cannot_be_opened_is_unreachable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "directory").mkdir()

    for path in (tmp_path / "file" / "journal.db", tmp_path / "directory"):
        with pytest.raises(UnreachableError, match=path.name):
            await SqliteJournal(SqliteOptions(path=path)).start()


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(path: Path) -> None:
    path.write_bytes(b"not a database at all" * 100)

    with pytest.raises(ConfigError, match=str(path)):
        asyncio.run(SqliteJournal(SqliteOptions(path=path)).start())

    assert path.read_bytes() == b"not a database at all" * 100


async def test_a_newer_schema_is_refused(path: Path) -> None:
    async with opened(path):
        pass
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE j_schema SET version = 99")

    with pytest.raises(ConfigError, match="99"):
        await SqliteJournal(SqliteOptions(path=path)).start()


async def test_calls_before_start_and_after_close_are_refused(path: Path) -> None:
    journal = SqliteJournal(SqliteOptions(path=path))

    with pytest.raises(JournalUnavailableError):
        await journal.join([GROUP], "")
    await journal.start()
    await journal.aclose()
    with pytest.raises(JournalUnavailableError):
        await journal.backlog([GROUP])


async def test_a_closed_journal_can_be_started_again(path: Path) -> None:
    journal = SqliteJournal(SqliteOptions(path=path))
    for _ in range(2):
        await journal.start()
        await journal.join([GROUP], "")
        await journal.aclose()

    async with opened(path) as member:
        assert len(await member.journal.peers(member.id)) == 2


async def test_a_call_cancelled_while_another_writes_is_left_out(path: Path) -> None:
    async with opened(path) as member:
        gate = os.open(f"{path}.w", os.O_RDWR)
        fcntl.flock(gate, fcntl.LOCK_EX)
        waiting = asyncio.ensure_future(member.journal.backlog([GROUP]))
        first = asyncio.ensure_future(member.intake(delivery("a")))
        second = asyncio.ensure_future(member.intake(delivery("b", "other")))
        await waiting

        second.cancel()
        await asyncio.wait([second])
        os.close(gate)
        await first

        assert [lane.head for lane in await member.take(5)] == [b"a"]


async def test_closing_is_bounded_in_time_while_another_holds_the_gate(path: Path) -> None:
    journal = SqliteJournal(SqliteOptions(path=path, close_timeout_seconds=0.05))
    await journal.start()
    gate = os.open(f"{path}.w", os.O_RDWR)
    fcntl.flock(gate, fcntl.LOCK_EX)

    await journal.aclose()

    with pytest.raises(JournalUnavailableError):
        await journal.backlog([GROUP])
    os.close(gate)


async def test_a_number_too_large_is_refused_and_the_journal_goes_on(path: Path) -> None:
    async with opened(path) as member:
        mark = MarkAdvance(partition=PLACE, known=None, next=2**70)

        with pytest.raises(ValueRefusedError):
            await member.journal.intake(member.id, IntakeBatch(group=GROUP, marks=[mark], deliveries=[]))

        assert [lane.head for lane in await member.run(delivery("a"))] == [b"a"]


async def test_a_failing_disk_leaves_the_turn_to_be_committed_again(path: Path) -> None:
    async with opened(path) as member:
        (lane,) = await member.run(delivery("a"))
        database = database_of(member)
        pages = await database.read(lambda tx: tx.row("PRAGMA page_count")[0])
        await database._run(lambda: limit_pages(database, pages))

        with pytest.raises(JournalUnavailableError, match="full"):
            await member.commit(done(lane, outbox=[output("x" * 100_000)]))
        await database._run(lambda: limit_pages(database, 1_000_000))

        (held,) = (await member.journal.held(member.id)).lanes
        assert (held.pos, list(held.unsent)) == (lane.pos, [])
        assert not (await member.commit(done(lane, outbox=[output("x" * 100_000)]))).lost


async def test_journal_and_transport_share_a_file(path: Path) -> None:
    transport = SqliteTransport(SqliteTransportOptions(path=path))
    async with opened(path) as member:
        await transport.start()

        await member.run(delivery("a"))
        await transport.aclose()

        assert (await member.journal.backlog([GROUP]))[GROUP].deliveries == 1
