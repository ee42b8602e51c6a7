"""A file that an earlier version has written is brought up to date with everything in it."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from agentopic.adapters.journal.sqlite import SqliteJournal, SqliteOptions
from agentopic.errors import ConfigError
from agentopic.ports.journal import ReplyAddress, StateChange
from agentopic.testing.journal_mesh import GROUP, PLACE, Member, answer, by_lane, delivery, digest, done, intent

HERE, THERE = ReplyAddress("test.replies", 0), ReplyAddress("test.replies", 1)
REQUEST = delivery("a", "asked")
TASKS = [delivery("b", "busy"), delivery("c", "busy")]


def write_version_1(path: Path) -> None:
    """Write a file as version 1 left it: a process died in its second attempt, a request waits."""
    Path(f"{path}.p1").touch()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE j_schema (version INTEGER NOT NULL)")
        connection.execute("INSERT INTO j_schema VALUES (1)")
        connection.executescript(Path(__file__).with_name("schema_1.sql").read_text("utf-8"))
        connection.execute("UPDATE j_counter SET value = 10")
        connection.execute("INSERT INTO j_process (groups, address, has_left) VALUES (?, '', 0)", (f'["{GROUP}"]',))
        connection.execute("INSERT INTO j_mark VALUES (?, ?, 0, 3, 1)", (GROUP, PLACE.topic))
        for lane, key, owner, running in (
            (REQUEST.lane, "asked", None, None),
            (TASKS[0].lane, "busy", 1, 2),
        ):
            connection.execute(
                'INSERT INTO j_lane (id, "group", key, owner, token, running, ready_at) VALUES (?, ?, ?, ?, 5, ?, 1.0)',
                (lane, GROUP, key, owner, running),
            )
        for pos, item, counts in ((1, REQUEST, (0, 0, 0)), (2, TASKS[0], (2, 1, 1)), (3, TASKS[1], (0, 0, 0))):
            connection.execute(
                "INSERT INTO j_delivery VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (pos, item.lane, item.identity, item.head, item.body, *counts),
            )
            connection.execute("INSERT INTO j_seen VALUES (?, 1e12)", (item.identity,))
        connection.executemany("INSERT INTO j_address VALUES (1, ?, ?)", [THERE, HERE])
        connection.execute("INSERT INTO j_agent VALUES (?, 7, ?)", (TASKS[0].lane, b"state"))
        connection.execute(
            "INSERT INTO j_step VALUES (1, ?, ?, 'tool', 'call', 5, 1.0, ?)",
            (TASKS[0].identity, digest("call"), b"paid"),
        )
        connection.execute(
            "INSERT INTO j_outbox VALUES (1, ?, NULL, 'test.topic.report', NULL, NULL, ?, ?)",
            (TASKS[0].lane, b"left", b""),
        )
        connection.execute("INSERT INTO j_answer VALUES ('old', 'done', NULL, ?, ?, 1e12)", (b"42", b""))


@pytest.fixture
async def member(tmp_path: Path) -> AsyncIterator[Member]:
    path = tmp_path / "journal.db"
    write_version_1(path)
    journal = SqliteJournal(SqliteOptions(path=path))
    await journal.start()
    me = await journal.join([GROUP], "")
    yield Member(journal=journal, id=me, known={(GROUP, PLACE): 3})
    await journal.aclose()


async def test_what_an_earlier_version_left_goes_on(member: Member) -> None:
    (former,) = await member.journal.peers(member.id)
    await member.journal.bury(member.id, former)

    lanes = by_lane(await member.take(5))

    busy = lanes["busy"]
    assert (busy.head, busy.attempts, busy.failures, busy.crashes, busy.version) == (b"b", 3, 1, 2, 7)
    assert [row.row.value for row in busy.unsent] == [b"left"]
    assert [(step.name, step.result) for step in await member.journal.recorded(busy.identity)] == [("call", b"paid")]
    (following,) = (await member.commit(done(busy, state=StateChange(expected=7, events=(b"8",))))).started
    assert (following.head, following.attempts, following.crashes) == (b"c", 1, 0)
    state = await member.journal.load(busy.lane)
    assert state is not None
    assert (state.version, state.snapshot, list(state.events)) == (8, b"state", [b"8"])


async def test_who_asked_an_earlier_version_is_answered(member: Member) -> None:
    (former,) = await member.journal.peers(member.id)
    await member.journal.bury(member.id, former)
    asked = by_lane(await member.take(5))["asked"]

    committed = await member.commit(done(asked, answer=answer("a")))

    assert [row.row.partition for row in committed.rows] == [HERE.partition, THERE.partition]
    assert (await member.intake(REQUEST)).repeats == 1


async def test_an_upgraded_file_can_do_what_is_new(member: Member) -> None:
    (former,) = await member.journal.peers(member.id)
    await member.journal.bury(member.id, former)
    lanes = by_lane(await member.take(5))

    await member.open(intent(lanes["busy"], "ask", kind="human", note=b"?"))

    assert [question.note for question in await member.journal.questions([GROUP])] == [b"?"]


def shape(path: Path) -> dict[str, list[tuple[str, str, int, int]]]:
    with closing(sqlite3.connect(path)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {
            table: sorted(
                (name, kind, required, key)
                for _, name, kind, required, _, key in connection.execute(f"PRAGMA table_info({table})")
            )
            for table in sorted(tables)
        }


async def test_an_upgraded_file_has_the_tables_of_a_new_one(tmp_path: Path) -> None:
    write_version_1(tmp_path / "old.db")

    for name in ("old.db", "new.db"):
        journal = SqliteJournal(SqliteOptions(path=tmp_path / name))
        await journal.start()
        await journal.aclose()

    assert shape(tmp_path / "old.db") == shape(tmp_path / "new.db")


async def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    write_version_1(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE j_schema SET version = 99")

    with pytest.raises(ConfigError, match="99"):
        await SqliteJournal(SqliteOptions(path=path)).start()
