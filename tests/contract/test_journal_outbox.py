from __future__ import annotations

from agentopic.ports.journal import ReplyAddress
from agentopic.testing.journal_mesh import (
    GROUP,
    PLACE,
    JournalMesh,
    Member,
    answer,
    by_lane,
    deferred,
    delivery,
    done,
    output,
)


async def test_rows_are_stored_in_order_with_rising_ids(member: Member) -> None:
    (lane,) = await member.run(delivery("a"), delivery("b"))

    first = await member.commit(done(lane, outbox=[output(str(number)) for number in range(9)]))
    second = await member.commit(done(first.started[0], outbox=[output("9"), output("10")]))

    rows = [*first.rows, *second.rows]
    assert [row.row for row in rows] == [output(str(number)) for number in range(11)]
    assert [row.id for row in rows] == sorted({row.id for row in rows})
    assert {row.lane for row in rows} == {lane.lane}


async def test_a_lane_is_kept_until_its_rows_are_acknowledged(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (lane,) = await one.run(delivery("a"))
    committed = await one.commit(done(lane, outbox=[output("x"), output("y")]))
    await two.intake(delivery("b"), free=1)

    await one.commit(sent=committed.rows[:1])
    while_one_is_unsent = await two.take()
    await one.commit(sent=committed.rows[1:])
    (taken,) = await two.take()

    assert not while_one_is_unsent
    assert taken.head == b"b"
    assert not taken.unsent


async def test_rows_acknowledged_with_the_turn_that_ends_the_lane_release_it(member: Member) -> None:
    (lane,) = await member.run(delivery("a"), delivery("b"))
    first = await member.commit(done(lane, outbox=[output("x")]))

    await member.commit(done(first.started[0]), sent=first.rows)

    assert not (await member.journal.held(member.id)).lanes
    assert (await member.journal.backlog([GROUP]))[GROUP].unsent == 0


async def test_a_deferred_lane_is_kept_until_its_rows_are_acknowledged(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (lane,) = await one.run(delivery("a"), delivery("b"))
    first = await one.commit(done(lane, outbox=[output("x")]))
    await one.commit(deferred(first.started[0]))

    before = await two.take()
    await one.commit(sent=first.rows)
    (taken,) = await two.take()

    assert not before
    assert (taken.head, taken.attempts, taken.failures) == (b"b", 2, 1)


async def test_a_lane_handed_back_is_kept_until_its_rows_are_acknowledged(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (lane,) = await one.run(delivery("a"), delivery("b"))
    committed = await one.commit(done(lane, outbox=[output("x")], hand_back=True))

    before = await two.take()
    await one.commit(sent=committed.rows)
    (taken,) = await two.take()

    assert not before
    assert (taken.head, taken.attempts) == (b"b", 1)


async def test_a_running_lane_stays_when_its_rows_are_acknowledged(member: Member) -> None:
    (lane,) = await member.run(delivery("a"), delivery("b"))
    committed = await member.commit(done(lane, outbox=[output("x")]))

    await member.commit(sent=committed.rows)

    (held,) = (await member.journal.held(member.id)).lanes
    assert (held.head, list(held.unsent)) == (b"b", [])
    assert not (await member.commit(done(committed.started[0]))).lost


async def test_rows_of_the_process_are_acknowledged(member: Member) -> None:
    taken = await member.intake(dead=[(PLACE, output("x")), (PLACE, output("y"))])

    await member.commit(sent=taken.rows[:1])

    held = await member.journal.held(member.id)
    assert [row.row for row in held.rows] == [output("y")]


async def test_acknowledging_twice_is_harmless(member: Member) -> None:
    (lane,) = await member.run(delivery("a"))
    committed = await member.commit(done(lane, outbox=[output("x")]))

    await member.commit(sent=committed.rows)
    await member.commit(sent=committed.rows)

    assert not (await member.journal.held(member.id)).lanes


async def test_an_acknowledged_reply_is_gone_and_never_held_its_lane(member: Member) -> None:
    request = delivery("a", request_id="r1", reply_to=ReplyAddress("test.replies", 1))
    (lane,) = await member.run(request)

    committed = await member.commit(done(lane, answer=answer("r1")))
    lanes = (await member.journal.held(member.id)).lanes
    await member.commit(sent=committed.rows)

    assert not lanes
    assert not (await member.journal.held(member.id)).rows


async def test_held_shows_everything_a_lost_answer_contained(member: Member) -> None:
    started = by_lane(await member.run(delivery("a", "x"), delivery("b", "x"), delivery("c", "y"), delivery("d", "z")))
    committed = await member.commit(
        done(started["x"], outbox=[output("1"), output("2")]), done(started["y"], outbox=[output("3")])
    )

    holdings = await member.journal.held(member.id)

    lanes = by_lane(holdings.lanes)
    assert set(lanes) == {"x", "y", "z"}
    assert (lanes["x"].head, lanes["x"].attempts, lanes["x"].token) == (b"b", 1, committed.started[0].token)
    assert [row.row for row in lanes["x"].unsent] == [output("1"), output("2")]
    assert (lanes["y"].pos, [row.row for row in lanes["y"].unsent]) == (None, [output("3")])
    assert (lanes["z"].head, lanes["z"].attempts, list(lanes["z"].unsent)) == (b"d", 1, [])


async def test_held_shows_lanes_taken_by_a_call_whose_answer_was_lost(member: Member) -> None:
    await member.intake(delivery("a", "x"), delivery("b", "y"), free=1)
    await member.take()

    lanes = (await member.journal.held(member.id)).lanes

    assert sorted((lane.head, lane.attempts) for lane in lanes) == [(b"a", 1), (b"b", 1)]
    assert not set((await member.commit(*(done(lane) for lane in lanes))).lost)


async def test_held_shows_nothing_of_others(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    await one.intake(delivery("a"), dead=[(PLACE, output("x"))], free=1)

    holdings = await two.journal.held(two.id)

    assert (list(holdings.lanes), list(holdings.rows)) == ([], [])


async def test_a_commit_repeated_after_an_unknown_outcome_stores_once(member: Member) -> None:
    (lane,) = await member.run(delivery("a"), delivery("b"))
    turn = done(lane, outbox=[output("x")])
    await member.commit(turn)

    repeated = await member.commit(turn)

    assert set(repeated.lost) == {lane.lane}
    assert (await member.journal.backlog([GROUP]))[GROUP].unsent == 1
