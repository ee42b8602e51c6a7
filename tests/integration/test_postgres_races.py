"""Calls that meet in the database: whichever comes first, nothing is missed and nothing is decided twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from random import Random
from typing import Any

import asyncpg
import pytest

from agentopic.adapters.journal.postgres import PostgresJournal, PostgresOptions
from agentopic.ports.journal import AnswerQuestion, CancelRequest, Incoming, PauseLane, ReplyAddress, Spend, Started
from agentopic.ports.transport import TopicPartition
from agentopic.testing.journal_mesh import (
    GROUP,
    JournalMesh,
    Member,
    answer,
    delivery,
    digest,
    done,
    eventually,
    intent,
    journal_mesh,
    parked,
    reply,
)

ROUNDS = 20
HERE = ReplyAddress("test.replies", 0)
CONTROLS = [TopicPartition("test.control.worker", number) for number in range(3)]


@pytest.fixture
async def mesh(postgres_dsn: str) -> AsyncGenerator[JournalMesh]:
    async with journal_mesh(lambda: PostgresJournal(PostgresOptions(dsn=postgres_dsn))) as opened:
        yield opened


async def at_once(dice: Random, *calls: Coroutine[Any, Any, Any]) -> list[Any]:
    """Start calls in a random order, a few turns of the event loop apart, and return their results as given."""
    tasks: dict[int, asyncio.Task[Any]] = {}
    for number in dice.sample(range(len(calls)), k=len(calls)):
        tasks[number] = asyncio.create_task(calls[number])
        for _ in range(dice.randrange(6)):
            await asyncio.sleep(0)
    return [await tasks[number] for number in range(len(calls))]


async def waiting(member: Member, key: str, *, kind: str) -> Started:
    """Start a turn that waits for one step."""
    (turn,) = await member.run(delivery("waits", key))
    await member.open(intent(turn, "awaited", kind=kind, note=b"?"))
    return turn


def question_answer(turn: Started, value: bytes, place: TopicPartition = CONTROLS[0]) -> AnswerQuestion:
    return AnswerQuestion(
        partition=place,
        lane=turn.lane,
        group=GROUP,
        key=turn.key,
        turn=turn.identity,
        step=digest("awaited"),
        result=value,
    )


async def test_a_result_that_meets_a_parking_turn_wakes_it(mesh: JournalMesh) -> None:
    holder, other = await mesh.join(), await mesh.join()
    for number in range(ROUNDS):
        turn = await waiting(holder, f"k{number}", kind="request")

        await at_once(Random(number), holder.commit(parked(turn, "awaited")), other.close(reply(turn, "awaited")))

        (again,) = await other.take()
        assert (again.lane, again.attempts, again.crashes, again.failures) == (turn.lane, 2, 0, 0)
        await other.commit(done(again))


async def test_an_answer_that_meets_a_parking_turn_wakes_it_and_the_first_of_two_is_kept(mesh: JournalMesh) -> None:
    holder, other, third = await mesh.join(), await mesh.join(), await mesh.join()
    for number in range(ROUNDS):
        turn = await waiting(holder, f"k{number}", kind="human")

        await at_once(
            Random(number),
            holder.commit(parked(turn, "awaited")),
            other.control(question_answer(turn, b"one", CONTROLS[0])),
            third.control(question_answer(turn, b"two", CONTROLS[1])),
        )

        (row,) = await holder.journal.recorded(turn.identity)
        assert row.result in {b"one", b"two"}
        late = await other.control(question_answer(turn, b"three"))
        assert not late.notices
        assert (await holder.journal.recorded(turn.identity))[0].result == row.result
        (again,) = await other.take()
        await other.commit(done(again))


async def test_mail_left_while_its_reader_empties_the_box_is_read(mesh: JournalMesh, postgres_dsn: str) -> None:
    holder, other = await mesh.join(), await mesh.join()
    turn = await waiting(holder, "k", kind="human")
    await other.control(PauseLane(partition=CONTROLS[1], lane=turn.lane, group=GROUP, key=turn.key, paused=False))
    connection = await asyncpg.connect(postgres_dsn, server_settings={"search_path": "agentopic"})
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("UPDATE delivery SET cancelled = true WHERE lane = $1", turn.lane)
    await connection.execute("SELECT leave_mail(ARRAY[$1::bytea])", turn.lane)  # there is mail for the lane already

    reading = asyncio.create_task(holder.mail())
    await eventually(lambda: _waits_or_is_done(postgres_dsn, reading))
    early = reading.done()
    await transaction.commit()
    letters = [await reading, await holder.mail()][early]

    assert letters[turn.lane].cancelled
    await connection.close()


async def _waits_or_is_done(dsn: str, task: asyncio.Task[Any]) -> bool:
    """Whether a call has ended, or its session waits for the lock of another."""
    connection = await asyncpg.connect(dsn)
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    waiting_sessions = await connection.fetchval(query)
    await connection.close()
    return task.done() or bool(waiting_sessions)


async def test_a_cancel_that_meets_the_start_of_its_request_ends_it_or_marks_it(mesh: JournalMesh) -> None:
    storer, other = await mesh.join(), await mesh.join()
    ends: set[str] = set()
    for number in range(ROUNDS):
        incoming = delivery("r", f"k{number}", request_id=f"r{number}", reply_to=HERE)
        await storer.intake(incoming)
        command = CancelRequest(
            partition=CONTROLS[0],
            lane=incoming.lane,
            group=GROUP,
            key=incoming.key,
            identity=incoming.identity,
            request_id=f"r{number}",
            answer=answer(f"r{number}"),
        )

        taken, controlled = await at_once(Random(number), storer.take(), other.control(command))

        if controlled.rows:
            ends.add("ended")
            assert not taken
            assert [row.row.partition for row in controlled.rows] == [0]
        else:
            ends.add("marked")
            (turn,) = taken
            assert [notice.process for notice in controlled.notices] == [storer.id]
            assert (await storer.mail())[turn.lane].cancelled
            await storer.commit(done(turn))
    assert (await storer.journal.backlog([GROUP]))[GROUP].deliveries == 0


async def test_a_cancel_that_meets_the_intake_of_its_request_is_answered_once(mesh: JournalMesh) -> None:
    storer, other = await mesh.join(), await mesh.join()
    for number in range(ROUNDS):
        incoming = delivery("r", f"k{number}", request_id=f"r{number}", reply_to=HERE)
        command = CancelRequest(
            partition=CONTROLS[0],
            lane=incoming.lane,
            group=GROUP,
            key=incoming.key,
            identity=incoming.identity,
            request_id=f"r{number}",
            answer=answer(f"r{number}"),
        )

        taken, controlled = await at_once(Random(number), storer.intake(incoming), other.control(command))

        assert len(taken.rows) + len(controlled.rows) == 1
        assert not await storer.take()
    assert (await storer.journal.backlog([GROUP]))[GROUP].deliveries == 0


async def test_a_pause_that_meets_a_take_stops_the_lane_or_tells_its_holder(mesh: JournalMesh) -> None:
    taker, other = await mesh.join(), await mesh.join()
    for number in range(ROUNDS):
        incoming = delivery("a", f"k{number}")
        await taker.intake(incoming, delivery("b", f"k{number}"))
        pause = PauseLane(partition=CONTROLS[0], lane=incoming.lane, group=GROUP, key=incoming.key, paused=True)
        resume = PauseLane(partition=CONTROLS[0], lane=incoming.lane, group=GROUP, key=incoming.key, paused=False)

        taken, controlled = await at_once(Random(number), taker.take(), other.control(pause))

        if taken:
            assert [notice.process for notice in controlled.notices] == [taker.id]
            assert (await taker.mail())[incoming.lane].paused
            assert not (await taker.commit(done(taken[0]))).started
        else:
            assert not controlled.notices
        assert not await taker.take()
        await other.control(resume)
        assert (await taker.finish_everything())[-1] == b"b"


async def test_two_cycles_found_at_the_same_time_each_lose_one_request(mesh: JournalMesh) -> None:
    members = [await mesh.join() for _ in range(4)]

    def asking(caller: str, callee: str, place: int) -> Incoming:
        return delivery(
            f"{caller}>{callee}",
            callee,
            place=TopicPartition("test.agent.worker", place),
            request_id=f"{caller}>{callee}",
            reply_to=HERE,
            caller=digest(GROUP, caller),
        )

    for number in range(ROUNDS):
        pairs = [(f"a{number}", f"b{number}"), (f"c{number}", f"d{number}")]
        turns = {
            lane.key: lane for lane in await members[0].run(*(delivery("t", key) for pair in pairs for key in pair))
        }
        edges = [edge for one, two in pairs for edge in ((one, two), (two, one))]
        for caller, callee in edges:
            name = f"{caller}>{callee}"
            await members[0].open(intent(turns[caller], name, kind="request", callee=digest(GROUP, callee)))
        requests = [asking(caller, callee, place) for place, (caller, callee) in enumerate(edges)]

        taken = await at_once(
            Random(number),
            *(member.intake(request) for member, request in zip(members, requests, strict=True)),
        )

        assert [len(taken[0].cycles | taken[1].cycles), len(taken[2].cycles | taken[3].cycles)] == [1, 1]
        await members[0].commit(*(done(turn, asked=True) for turn in turns.values()))


async def test_spending_added_from_everywhere_is_counted_once_each(mesh: JournalMesh) -> None:
    members = [await mesh.join() for _ in range(4)]
    scopes = ["run/1", "type/a/1", "type/b/1"]

    async def add(number: int, member: Member) -> None:
        dice = Random(number)
        for _ in range(ROUNDS):
            entries = [Spend(scope=scope, calls=1, micros=10) for scope in dice.sample(scopes, k=3)]
            await member.journal.spend(member.id, [*entries, Spend(scope="run/1", saved=1)])

    await asyncio.gather(*(add(number, member) for number, member in enumerate(members)))

    spent = await members[0].journal.spent(scopes)
    total = ROUNDS * len(members)
    assert [(spend.calls, spend.micros) for spend in spent.values()] == [(total, 10 * total)] * 3
    assert spent["run/1"].saved == total
