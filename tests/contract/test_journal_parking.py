from __future__ import annotations

import asyncio

from agentopic.ports.journal import ReplyAddress
from agentopic.testing.journal_commands import cancel
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
    output,
    parked,
    reply,
    result,
)

HERE = ReplyAddress("test.replies", 0)


async def test_a_parked_turn_is_not_taken_by_itself(member: Member) -> None:
    (turn,) = await member.run(delivery("a"))
    await member.open(intent(turn, "ask", kind="request"))

    committed = await member.commit(parked(turn, "ask"))

    assert (committed.lost, list(committed.started)) == (frozenset(), [])
    assert not await member.take()
    assert not (await member.journal.held(member.id)).lanes


async def test_a_parked_turn_counts_neither_a_failure_nor_a_crash(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (turn,) = await one.run(delivery("a"))
    await one.open(intent(turn, "ask", kind="request"))
    await one.commit(parked(turn, "ask"))
    await two.bury(one)
    await two.close(reply(turn, "ask"))

    (again,) = await two.take()

    assert (again.head, again.attempts, again.failures, again.crashes) == (b"a", 2, 0, 0)


async def test_a_result_makes_a_parked_lane_ready(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (turn,) = await one.run(delivery("a"))
    await one.open(intent(turn, "ask", kind="request"))
    await one.commit(parked(turn, "ask"))

    await two.close(reply(turn, "ask", b"42"))

    (again,) = await one.take()
    assert again.head == b"a"
    assert [step.result for step in await one.journal.recorded(turn.identity)] == [b"42"]


async def test_a_result_that_came_before_the_parking_makes_it_ready_at_once(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (turn,) = await one.run(delivery("a"))
    await one.open(intent(turn, "other", kind="timer"), intent(turn, "ask", kind="request"))
    await two.close(reply(turn, "ask"))

    await one.commit(parked(turn, "other", "ask"))

    assert [lane.head for lane in await two.take()] == [b"a"]


async def test_a_result_that_is_not_awaited_does_not_hurry_the_parking(member: Member) -> None:
    (turn,) = await member.run(delivery("a"))
    await member.open(intent(turn, "call"), intent(turn, "ask", kind="request"))
    await member.close(result(turn, "call", b"paid"))

    await member.commit(parked(turn, "ask"))

    assert not await member.take()


async def test_parking_and_its_result_at_the_same_time_never_leave_the_lane_asleep(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    turns = await one.run(*(delivery("a", f"k{number}") for number in range(20)))
    for turn in turns:
        await one.open(intent(turn, "ask", kind="request"))

    await asyncio.gather(
        *(one.commit(parked(turn, "ask")) for turn in turns),
        *(two.close(reply(turn, "ask")) for turn in turns),
    )

    assert len(await two.take(50)) == 20


async def test_a_parked_turn_is_ready_after_its_delay(member: Member) -> None:
    (turn,) = await member.run(delivery("a"))
    await member.open(intent(turn, "nap", kind="timer"))

    await member.commit(parked(turn, "nap", delay_seconds=0.05))

    (again,) = await eventually(member.take)
    assert (again.head, again.failures) == (b"a", 0)


async def test_a_parked_turn_is_not_ready_before_its_delay(member: Member) -> None:
    (turn,) = await member.run(delivery("a"))

    await member.commit(parked(turn, "nap", delay_seconds=3600))

    assert not await member.take()


async def test_what_arrives_behind_a_parked_turn_waits(member: Member) -> None:
    (turn,) = await member.run(delivery("a"))
    await member.open(intent(turn, "ask", kind="request"))
    await member.commit(parked(turn, "ask"))

    taken = await member.intake(delivery("b"), free=5)

    assert not taken.started
    assert not await member.take()
    await member.close(reply(turn, "ask"))
    (again,) = await member.take()
    assert [lane.head for lane in (await member.commit(done(again))).started] == [b"b"]


async def test_parking_under_a_wrong_token_loses_the_lane(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (turn,) = await one.run(delivery("a"))

    committed = await two.commit(parked(turn))

    assert committed.lost == {turn.lane}
    assert [lane.pos for lane in (await one.journal.held(one.id)).lanes] == [turn.pos]


async def test_a_lane_with_unsent_rows_is_held_until_they_are_sent_and_then_parked(member: Member) -> None:
    (turn,) = await member.run(delivery("a"))
    (step,) = await member.open(intent(turn, "ask", kind="request", outbox=(output("question"),)))
    await member.commit(parked(turn, "ask"))
    (held,) = (await member.journal.held(member.id)).lanes

    await member.commit(sent=step.rows)

    assert (held.pos, list(held.unsent)) == (None, list(step.rows))
    assert not (await member.journal.held(member.id)).lanes
    assert not await member.take()


async def test_a_result_that_comes_while_rows_are_unsent_makes_the_lane_ready_afterwards(member: Member) -> None:
    (turn,) = await member.run(delivery("a"))
    (step,) = await member.open(intent(turn, "ask", kind="request", outbox=(output("question"),)))
    await member.commit(parked(turn, "ask"))
    await member.close(reply(turn, "ask"))
    before = await member.take()

    await member.commit(sent=step.rows)

    assert not before
    assert [lane.head for lane in await member.take()] == [b"a"]


async def test_a_turn_cancelled_while_it_ran_is_not_left_parked(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    request = delivery("a", request_id="r", reply_to=HERE)
    (turn,) = await one.run(request)
    await one.open(intent(turn, "ask", kind="human"))
    await two.control(cancel(request, answer("r")))

    await one.commit(parked(turn, "ask"))

    (again,) = await two.take()
    assert again.cancelled


async def test_the_first_row_of_an_intent_is_stored_with_it_and_no_second_one(member: Member) -> None:
    (turn,) = await member.run(delivery("a"))
    asked = intent(turn, "ask", kind="human", outbox=(output("1"), output("2")))

    (first,) = await member.open(asked)
    (second,) = await member.open(asked)

    (held,) = (await member.journal.held(member.id)).lanes
    assert [row.row for row in first.rows] == [output("1"), output("2")]
    assert {row.lane for row in first.rows} == {turn.lane}
    assert second.rows == ()
    assert list(held.unsent) == list(first.rows)


async def test_rows_of_an_intent_go_out_before_those_of_the_commit(member: Member) -> None:
    (turn,) = await member.run(delivery("a"))
    (step,) = await member.open(intent(turn, "now", outbox=(output("1"),)))

    committed = await member.commit(done(turn, outbox=[output("2")]))

    (held,) = (await member.journal.held(member.id)).lanes
    assert list(held.unsent) == [*step.rows, *committed.rows]


async def test_a_result_under_the_wrong_token_is_not_stored(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (old,) = await one.run(delivery("a"))
    await one.open(intent(old, "ask", kind="request"))
    await two.bury(one)
    (new,) = await two.take()

    (stale,) = await two.close(result(new, "ask", b"late", lane=new.lane, token=old.token))
    before = [step.result for step in await two.journal.recorded(new.identity)]
    (right,) = await two.close(result(new, "ask", b"timeout", lane=new.lane, token=new.token))

    assert (stale.result, before, right.result) == (None, [None], b"timeout")


async def test_a_process_that_does_not_hold_the_lane_cannot_store_under_its_token(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (turn,) = await one.run(delivery("a"))
    await one.open(intent(turn, "ask", kind="request"))

    (row,) = await two.close(result(turn, "ask", b"timeout", lane=turn.lane, token=turn.token))

    assert row.result is None
    assert [step.result for step in await one.journal.recorded(turn.identity)] == [None]


async def test_under_the_token_of_a_parked_lane_nothing_is_stored(member: Member) -> None:
    (turn,) = await member.run(delivery("a"))
    await member.open(intent(turn, "ask", kind="request"))
    await member.commit(parked(turn, "ask"))

    (row,) = await member.close(result(turn, "ask", b"timeout", lane=turn.lane, token=turn.token))

    assert row.result is None
    assert not await member.take()


async def test_a_second_result_does_not_wake_a_turn_that_waits_for_something_else(member: Member) -> None:
    (turn,) = await member.run(delivery("a"))
    await member.open(intent(turn, "first", kind="request"), intent(turn, "second", kind="request"))
    await member.close(reply(turn, "first"))
    await member.commit(parked(turn, "second"))

    await member.close(reply(turn, "first", b"again"))

    assert not await member.take()


async def test_a_parked_delivery_is_backlog_and_not_unstarted(member: Member) -> None:
    (turn,) = await member.run(delivery("a"), delivery("b"))
    await member.commit(parked(turn))

    backlog = (await member.journal.backlog([GROUP]))[GROUP]

    assert (backlog.deliveries, backlog.unstarted) == (2, 1)


async def test_stored_work_is_unstarted_until_it_is_run(member: Member) -> None:
    await member.intake(delivery("a", "x"), delivery("b", "y"), delivery("c", "y"))
    before = (await member.journal.backlog([GROUP]))[GROUP]

    await member.take(2)

    after = (await member.journal.backlog([GROUP]))[GROUP]
    assert (before.deliveries, before.unstarted) == (3, 3)
    assert (after.deliveries, after.unstarted) == (3, 1)


async def test_a_reply_to_a_turn_that_is_over_changes_nothing(member: Member) -> None:
    (turn,) = await member.run(delivery("a"))
    await member.open(intent(turn, "ask", kind="request", callee=digest("callee")))
    await member.commit(done(turn, asked=True))

    (row,) = await member.close(reply(turn, "ask"))

    assert row.result == b"reply"
    assert not await member.take()
    assert not await member.journal.recorded(turn.identity)
