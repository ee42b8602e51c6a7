from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from agentopic.adapters.journal.memory import MemoryJournal, MemoryStore
from agentopic.errors import JournalError, ValueRefusedError
from agentopic.ports.journal import PortableRow, ReplyAddress, Spend, Started, StateChange
from agentopic.testing.journal_commands import human_answer, pause
from agentopic.testing.journal_mesh import (
    GROUP,
    PLACE,
    JournalMesh,
    Member,
    answer,
    deferred,
    delivery,
    digest,
    done,
    eventually,
    intent,
    journal_mesh,
    output,
    parked,
    result,
)

HERE, THERE = ReplyAddress("test.replies", 0), ReplyAddress("test.replies", 1)
REQUEST = delivery("r", "open", request_id="r", reply_to=HERE, deadline_ms=10**15, caller=digest("caller"))


@pytest.fixture
async def elsewhere() -> AsyncIterator[JournalMesh]:
    """Another journal, in memory."""
    store = MemoryStore()
    async with journal_mesh(lambda: MemoryJournal(store)) as mesh:
        yield mesh


async def fill(member: Member) -> dict[str, Started]:
    """Leave a little of everything behind and end the process."""
    await member.intake(REQUEST, replace(REQUEST, reply_to=THERE))
    (half,) = await member.run(delivery("half", "half"), delivery("behind", "half"))
    await member.open(intent(half, "call"), intent(half, "open"))
    await member.close(result(half, "call", b"paid"))
    await member.commit(deferred(half, 0.0))
    (asking,) = await member.run(delivery("asking", "asking"))
    await member.open(intent(asking, "ask", kind="human", note=b"?", due_seconds=5000.0))
    await member.commit(parked(asking, "ask"))
    (snapshot, events) = await member.run(delivery("s", "snapshot"), delivery("e", "events"))
    ended = await member.commit(
        done(snapshot, state=StateChange(expected=0, snapshot=b"s1")),
        done(events, state=StateChange(expected=0, events=(b"1", b"2"), snapshot=b"s2")),
    )
    assert not ended.lost
    (events,) = await member.run(delivery("e2", "events"))
    await member.commit(done(events, state=StateChange(expected=2, events=(b"3",)), outbox=[output("left")]))
    (answered,) = await member.run(delivery("q", "answered", request_id="q", reply_to=HERE))
    committed = await member.commit(done(answered, answer=answer("q", b"42")))
    await member.commit(sent=committed.rows)
    await member.intake(dead=[(PLACE, output("dead"))])
    await member.journal.spend(member.id, [Spend(scope="run/1", calls=3, micros=7)])
    await member.control(pause("paused"))
    await member.intake(delivery("p", "paused"))
    await member.journal.leave(member.id)
    return {"half": half, "asking": asking, "snapshot": snapshot, "events": events}


async def carry(source: Member, target: JournalMesh, size: int = 1000) -> Member:
    rows = await source.dump()
    opened = target.connect()
    await opened.start()
    for start in range(0, len(rows), size):
        await opened.restore(rows[start : start + size])
    await opened.aclose()
    return await target.join()


async def adopt(member: Member) -> list[bytes | None]:
    """Take over the rows of processes that are gone."""
    rows = [
        row
        for peer in await member.journal.peers(member.id)
        if peer.gone
        for row in await member.journal.bury(member.id, peer)
    ]
    await member.commit(sent=rows)
    return [row.row.value for row in rows]


@pytest.fixture(params=["out", "in"])
def route(request: pytest.FixtureRequest, mesh: JournalMesh, elsewhere: JournalMesh) -> tuple[JournalMesh, JournalMesh]:
    """From this journal to one in memory, and back."""
    return (mesh, elsewhere) if request.param == "out" else (elsewhere, mesh)


@pytest.mark.parametrize("size", [1000, 1])
async def test_unfinished_work_goes_on_elsewhere_as_it_was(route: tuple[JournalMesh, JournalMesh], size: int) -> None:
    former = await route[0].join()
    turns = await fill(former)

    member = await carry(former, route[1], size)

    backlog = (await member.journal.backlog([GROUP]))[GROUP]
    assert (backlog.deliveries, backlog.unsent, backlog.unstarted) == (5, 1, 3)
    taken = {lane.key: lane for lane in await member.take(10)}
    assert set(taken) == {"open", "half", "events"}
    half = taken["half"]
    assert (half.head, half.attempts, half.failures, half.crashes) == (b"half", 2, 1, 0)
    assert half.identity == turns["half"].identity
    steps = await member.journal.recorded(half.identity)
    assert [(step.name, step.kind, step.result) for step in steps] == [
        ("call", "tool", b"paid"),
        ("open", "tool", None),
    ]
    assert [row.row for row in taken["events"].unsent] == [output("left")]
    assert [lane.head for lane in (await member.commit(done(half))).started] == [b"behind"]


async def test_addresses_deadlines_and_answers_go_along(route: tuple[JournalMesh, JournalMesh]) -> None:
    former = await route[0].join()
    await fill(former)

    member = await carry(former, route[1])

    lanes = {lane.key: lane for lane in await member.take(10)}
    assert not lanes["open"].expired
    rows = (await member.commit(done(lanes["open"], answer=answer("r", b"late")))).rows
    assert [row.row.partition for row in rows] == [HERE.partition, THERE.partition]
    again = await member.intake(delivery("q", "answered", request_id="q", reply_to=THERE))
    assert [row.row.value for row in again.rows] == [b"42"]
    assert [row.row.headers for row in again.rows] == [answer("q").headers]


async def test_questions_go_along_and_can_be_answered(route: tuple[JournalMesh, JournalMesh]) -> None:
    former = await route[0].join()
    turns = await fill(former)

    member = await carry(former, route[1])

    (question,) = await member.journal.questions([GROUP])
    assert (question.key, question.note, question.turn) == ("asking", b"?", turns["asking"].identity)
    await member.take(10)
    await member.control(human_answer(turns["asking"], "ask", b"yes"))
    (asking,) = await member.take()
    (step,) = await member.journal.recorded(asking.identity)
    assert (asking.key, step.result) == ("asking", b"yes")
    assert step.due_ms is not None


async def test_states_go_along(route: tuple[JournalMesh, JournalMesh]) -> None:
    former = await route[0].join()
    turns = await fill(former)

    member = await carry(former, route[1])

    states = [await member.journal.load(turns[name].lane) for name in ("snapshot", "events")]
    assert [state and (state.version, state.snapshot, list(state.events)) for state in states] == [
        (1, b"s1", []),
        (3, b"s2", [b"3"]),
    ]
    (turn,) = await member.run(delivery("more", "snapshot"))
    assert turn.version == 1


async def test_rows_of_processes_are_adopted_by_the_next(route: tuple[JournalMesh, JournalMesh]) -> None:
    former = await route[0].join()
    await fill(former)

    member = await carry(former, route[1])

    assert await adopt(member) == [b"dead"]
    assert await adopt(member) == []


async def test_pauses_and_spending_go_along(route: tuple[JournalMesh, JournalMesh]) -> None:
    former = await route[0].join()
    await fill(former)

    member = await carry(former, route[1])

    await member.take(10)
    before = await member.take()
    await member.control(pause("paused", paused=False))
    assert not before
    assert [lane.head for lane in await member.take()] == [b"p"]
    assert (await member.journal.spent(["run/1"]))["run/1"] == Spend(scope="run/1", calls=3, micros=7)


async def test_what_was_taken_in_once_is_known_elsewhere(route: tuple[JournalMesh, JournalMesh]) -> None:
    former = await route[0].join()
    await fill(former)

    member = await carry(former, route[1])

    taken = await member.intake(REQUEST, delivery("s", "snapshot"), delivery("behind", "half"))
    assert taken.repeats == 3


async def test_restoring_twice_stores_nothing(route: tuple[JournalMesh, JournalMesh]) -> None:
    former = await route[0].join()
    await fill(former)
    rows = await former.dump()
    member = await carry(former, route[1])

    stored = await member.journal.restore(rows)

    assert stored == 0


async def test_restoring_again_after_the_work_was_done_repeats_nothing(
    route: tuple[JournalMesh, JournalMesh],
) -> None:
    former = await route[0].join()
    await fill(former)
    rows = await former.dump()
    member = await carry(former, route[1])
    finished = await member.finish_everything()
    await adopt(member)

    await member.journal.restore(rows)

    assert {b"r", b"half", b"behind"} <= set(finished)
    assert not await member.finish_everything()
    assert await adopt(member) == []
    assert not await member.journal.recorded(digest(GROUP, "half", "half"))


async def test_dumping_what_was_restored_returns_the_same(route: tuple[JournalMesh, JournalMesh]) -> None:
    former = await route[0].join()
    await fill(former)
    rows = await former.dump()
    member = await carry(former, route[1])
    await member.journal.leave(member.id)

    again = await member.dump()

    def content(row: PortableRow) -> tuple[str, list[tuple[str, str]]]:
        drawn = {"pos", "ordinal", "id"} if row.table in {"delivery", "step", "outbox"} else set[str]()
        texts = [(name, repr(cell)) for name, cell in row.values.items() if name not in drawn and "_ms" not in name]
        return row.table, sorted(texts)

    known = sorted(content(row) for row in again if row.table != "seen")
    assert known == sorted(content(row) for row in rows if row.table != "seen")
    seen = {row.values["identity"] for row in again if row.table == "seen"}
    assert seen >= {row.values["identity"] for row in rows if row.table == "seen"}


async def test_other_groups_stay(route: tuple[JournalMesh, JournalMesh]) -> None:
    former = await route[0].join()
    (turn,) = (await former.intake(delivery("a", group="g2"), group="g2", free=1)).started
    await former.commit(done(turn, state=StateChange(expected=0, snapshot=b"s")))
    await former.intake(delivery("b", group="g2"), group="g2")
    await former.journal.leave(former.id)

    rows = await former.dump(GROUP)

    assert {row.table for row in rows} <= {"seen"}


async def test_while_a_process_of_the_group_lives_nothing_is_dumped(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join("g2")
    await one.intake(delivery("a"))

    with pytest.raises(JournalError):
        await one.dump(GROUP)

    assert [row.table for row in await two.dump("g3")] == ["seen"]


async def test_a_malformed_row_is_refused_and_its_call_stores_nothing(member: Member) -> None:
    good = PortableRow(table="seen", values={"identity": b"i" * 16, "at_ms": 1})
    bad = PortableRow(table="seen", values={"identity": "text", "at_ms": 1})

    with pytest.raises(ValueRefusedError):
        await member.journal.restore([good, bad])

    assert await member.journal.restore([good]) == 1


async def test_a_delivery_without_its_lane_is_refused(member: Member) -> None:
    await member.intake(REQUEST)
    former = next(row for row in await member.dump("other") if row.table == "seen")
    orphan = PortableRow(
        table="delivery",
        values={
            "lane": b"l" * 16,
            "pos": 1,
            "identity": b"i" * 16,
            "head": b"h",
            "body": None,
            "request_id": None,
            "reply_topics": [],
            "reply_partitions": [],
            "deadline_ms": None,
            "caller": None,
            "cancelled": False,
        },
    )

    with pytest.raises(ValueRefusedError):
        await member.journal.restore([orphan])

    assert former.values["identity"] == REQUEST.identity


async def test_a_text_that_no_journal_stores_is_refused(member: Member) -> None:
    row = PortableRow(table="spend", values={"scope": "run/\0"})

    with pytest.raises(ValueRefusedError):
        await member.journal.restore([row])


async def test_a_lane_waits_for_its_time_elsewhere_too(route: tuple[JournalMesh, JournalMesh]) -> None:
    former = await route[0].join()
    (soon, late) = await former.run(delivery("soon", "soon"), delivery("late", "late"))
    await former.commit(deferred(soon, 0.2), deferred(late, 3600))
    await former.journal.leave(former.id)

    member = await carry(former, route[1])

    (taken,) = await eventually(member.take)
    assert taken.key == "soon"
