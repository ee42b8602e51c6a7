from __future__ import annotations

import asyncio

import pytest

from agentopic.ports.journal import ReplyAddress
from agentopic.testing.journal_commands import cancel, cancel_run, human_answer, pause
from agentopic.testing.journal_mesh import (
    CONTROL_GROUP,
    CONTROL_PLACE,
    GROUP,
    JournalMesh,
    Member,
    answer,
    deferred,
    delivery,
    digest,
    done,
    intent,
    output,
    parked,
    reply,
)

HERE, THERE = ReplyAddress("test.replies", 0), ReplyAddress("test.replies", 1)
REQUEST = delivery("a", request_id="r", reply_to=HERE)
CANCELLED = answer("r", b"cancelled")


async def test_a_cancel_of_a_running_request_marks_it_and_tells_its_holder(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (turn,) = await one.run(REQUEST)

    controlled = await two.control(cancel(REQUEST, CANCELLED))

    assert [(notice.process, notice.address) for notice in controlled.notices] == [(one.id, "127.0.0.1:0")]
    assert not controlled.rows
    letters = await one.mail()
    assert (letters[turn.lane].token, letters[turn.lane].cancelled) == (turn.token, True)
    assert not letters[turn.lane].paused
    assert (await one.journal.held(one.id)).lanes[0].cancelled


async def test_a_cancelled_running_request_is_answered_by_its_turn_at_every_address(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (turn,) = await one.run(REQUEST)
    await two.control(cancel(REQUEST, CANCELLED, reply_to=THERE))

    committed = await one.commit(done(turn, answer=answer("r", b"stopped"), outcome="cancelled"))

    sent = [(row.row.value, row.row.partition) for row in committed.rows]
    assert sent == [(b"stopped", HERE.partition), (b"stopped", THERE.partition)]


async def test_a_cancel_of_a_stored_request_finishes_it(member: Member) -> None:
    await member.intake(REQUEST)

    controlled = await member.control(cancel(REQUEST, CANCELLED, reply_to=THERE))

    assert [(row.row.value, row.row.partition, row.lane) for row in controlled.rows] == [
        (b"cancelled", HERE.partition, None),
        (b"cancelled", THERE.partition, None),
    ]
    assert not await member.take()
    assert (await member.journal.backlog([GROUP]))[GROUP].deliveries == 0


async def test_a_request_cancelled_behind_a_running_turn_is_left_out(member: Member) -> None:
    behind = delivery("b", request_id="r", reply_to=HERE)
    (turn,) = await member.run(delivery("a"), behind, delivery("c"))

    controlled = await member.control(cancel(behind, CANCELLED))

    assert len(controlled.rows) == 1
    assert [lane.head for lane in (await member.commit(done(turn))).started] == [b"c"]


async def test_a_request_that_comes_after_its_cancel_is_answered_and_not_run(member: Member) -> None:
    controlled = await member.control(cancel(REQUEST, CANCELLED))

    taken = await member.intake(REQUEST, free=1)

    assert not controlled.rows
    assert (taken.repeats, list(taken.started)) == (1, [])
    assert [(row.row.value, row.row.partition) for row in taken.rows] == [(b"cancelled", HERE.partition)]


async def test_whoever_cancels_an_unknown_request_is_answered(member: Member) -> None:
    controlled = await member.control(cancel(REQUEST, CANCELLED, reply_to=THERE))

    assert [(row.row.value, row.row.partition) for row in controlled.rows] == [(b"cancelled", THERE.partition)]


async def test_a_cancel_of_a_finished_request_does_nothing(member: Member) -> None:
    (turn,) = await member.run(REQUEST)
    await member.commit(done(turn, answer=answer("r", b"42")))

    controlled = await member.control(cancel(REQUEST, CANCELLED))

    assert (list(controlled.rows), list(controlled.notices)) == ([], [])
    assert [row.row.value for row in (await member.intake(REQUEST)).rows] == [b"42"]


async def test_cancelling_twice_is_harmless(member: Member) -> None:
    await member.intake(REQUEST)

    first = await member.control(cancel(REQUEST, CANCELLED))
    second = await member.control(cancel(REQUEST, CANCELLED))

    assert (len(first.rows), len(second.rows)) == (1, 0)


FACT = output("the end of the run")


@pytest.mark.parametrize("place", ["first", "behind", "not seen yet"])
async def test_what_goes_with_the_answer_of_a_cancelled_request_is_stored_with_it(
    mesh: JournalMesh, place: str
) -> None:
    one, two = await mesh.join(), await mesh.join()
    if place == "behind":
        await one.run(delivery("before"))
    if place != "not seen yet":
        await one.intake(REQUEST)

    commands = [cancel(REQUEST, CANCELLED, reply_to=THERE, outbox=(FACT, output("more")))] * 2
    controlled = await two.control(*commands, cancel(delivery("c"), answer("s"), outbox=(output("other"),)))

    values = [row.row.value for row in controlled.rows]
    assert values == [b"cancelled"] * (len(values) - 3) + [FACT.value, b"more", b"other"]
    assert {row.lane for row in controlled.rows} == {None}
    assert list((await two.journal.held(two.id)).rows) == list(controlled.rows)


@pytest.mark.parametrize("state", ["running", "parked", "finished", "cancelled", "stale"])
async def test_what_goes_with_an_answer_is_not_stored_without_it(mesh: JournalMesh, state: str) -> None:
    one, two = await mesh.join(), await mesh.join()
    if state == "cancelled":
        await two.control(cancel(REQUEST, CANCELLED))
    elif state != "stale":
        (turn,) = await one.run(REQUEST)
        if state != "running":
            await one.commit(parked(turn) if state == "parked" else done(turn, answer=answer("r")))
    else:
        await two.control(pause("other", paused=False))
        two.known[CONTROL_GROUP, CONTROL_PLACE] -= 1

    controlled = await two.control(cancel(REQUEST, CANCELLED, outbox=(FACT,)))

    assert not [row for row in controlled.rows if row.row == FACT]


@pytest.mark.parametrize("begun", ["parked", "deferred"])
async def test_a_begun_request_without_a_holder_is_started_again_as_cancelled(member: Member, begun: str) -> None:
    (turn,) = await member.run(REQUEST)
    await member.commit(parked(turn) if begun == "parked" else deferred(turn, 3600))

    controlled = await member.control(cancel(REQUEST, CANCELLED))

    assert (list(controlled.rows), list(controlled.notices)) == ([], [])
    (again,) = await member.take()
    assert again.cancelled


async def test_a_cancel_and_a_start_at_the_same_time_end_the_request_once(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    for number in range(10):
        request = delivery("a", f"k{number}", request_id=f"r{number}", reply_to=HERE)
        await one.intake(request)

        taken, controlled = await asyncio.gather(one.take(), two.control(cancel(request, answer(f"r{number}"))))

        assert len(taken) + len(controlled.rows) == 1
        if taken:
            assert (await one.journal.held(one.id)).lanes[0].cancelled
            await one.commit(done(taken[0]))


async def test_a_cancelled_run_is_known_and_told_to_everybody(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()

    controlled = await one.control(cancel_run("run-1"))
    await two.control(cancel_run("run-2"), cancel_run("run-1"))

    assert {notice.process for notice in controlled.notices} == {one.id, two.id}
    assert await two.journal.cancelled_runs() == {"run-1", "run-2"}


async def test_a_paused_lane_starts_nothing(member: Member) -> None:
    await member.control(pause("x"))

    taken = await member.intake(delivery("a", "x"), delivery("b", "y"), free=5)

    assert [lane.head for lane in taken.started] == [b"b"]
    assert not await member.take()


async def test_a_resumed_lane_goes_on(member: Member) -> None:
    await member.intake(delivery("a"))
    await member.control(pause())
    before = await member.take()

    controlled = await member.control(pause(paused=False))

    assert not before
    assert not controlled.notices
    assert [lane.head for lane in await member.take()] == [b"a"]


async def test_a_pause_lets_the_running_turn_end_and_starts_no_other(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (turn,) = await one.run(delivery("a"), delivery("b"))

    controlled = await two.control(pause())

    assert [notice.process for notice in controlled.notices] == [one.id]
    letter = (await one.mail())[turn.lane]
    assert (letter.paused, letter.cancelled) == (True, False)
    assert not (await one.commit(done(turn))).started
    assert not await one.take()
    await two.control(pause(paused=False))
    assert [lane.head for lane in await one.take()] == [b"b"]


async def test_a_paused_lane_survives_without_work(member: Member) -> None:
    (turn,) = await member.run(delivery("a"))
    await member.control(pause())
    await member.commit(done(turn))

    taken = await member.intake(delivery("b"), free=1)

    assert not taken.started
    await member.control(pause(paused=False))
    assert [lane.head for lane in await member.take()] == [b"b"]


async def test_a_lane_resumed_without_work_is_gone(member: Member) -> None:
    await member.control(pause(), pause(paused=False))

    assert not await member.take()
    assert [lane.head for lane in await member.run(delivery("a"))] == [b"a"]


async def test_a_result_does_not_start_a_paused_lane(member: Member) -> None:
    (turn,) = await member.run(delivery("a"))
    await member.open(intent(turn, "ask", kind="request"))
    await member.commit(parked(turn, "ask"))
    await member.control(pause())

    await member.close(reply(turn, "ask"))

    assert not await member.take()
    await member.control(pause(paused=False))
    assert [lane.head for lane in await member.take()] == [b"a"]


async def test_a_paused_lane_is_still_taken_to_send_the_rows_left_in_it(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (turn,) = await one.run(delivery("a"), delivery("b"))
    await one.commit(done(turn, outbox=[output("x")], hand_back=True))
    await two.control(pause())
    await two.bury(one)

    (taken,) = await two.take()
    await two.commit(sent=taken.unsent)

    assert (taken.pos, [row.row for row in taken.unsent]) == (None, [output("x")])
    assert not await two.take()
    assert (await two.journal.backlog([GROUP]))[GROUP].deliveries == 1


async def test_a_paused_lane_of_a_buried_process_is_not_started(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    await one.run(delivery("a"))
    await two.control(pause())

    await two.bury(one)

    assert not await two.take()


async def test_pausing_and_taking_at_the_same_time_is_seen_by_one_side(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    for number in range(10):
        await one.intake(delivery("a", f"k{number}"))

        taken, controlled = await asyncio.gather(one.take(), two.control(pause(f"k{number}")))

        assert [notice.process for notice in controlled.notices] == [one.id] * len(taken)
        assert set(await one.mail()) == {lane.lane for lane in taken}


async def test_mail_is_taken_once_and_only_by_its_holder(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (turn,) = await one.run(REQUEST)
    await two.control(cancel(REQUEST, CANCELLED), pause())

    other = await two.mail()
    first = await one.mail()
    second = await one.mail()

    assert (len(other), len(first), len(second)) == (0, 1, 0)
    assert (first[turn.lane].cancelled, first[turn.lane].paused) == (True, True)


async def test_mail_about_a_lane_that_is_held_no_more_is_dropped(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (turn,) = await one.run(REQUEST)
    await two.control(cancel(REQUEST, CANCELLED))
    await one.commit(done(turn))

    assert not await one.mail()


async def test_a_process_that_stores_control_for_itself_is_told_too(member: Member) -> None:
    await member.run(REQUEST)

    controlled = await member.control(cancel(REQUEST, CANCELLED))

    assert [notice.process for notice in controlled.notices] == [member.id]


async def test_control_read_again_is_dropped(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    await one.control(cancel_run("run-1"))
    two.known = {}

    controlled = await two.control(cancel_run("run-2"), dead=[output("x")])

    assert controlled.stale == {CONTROL_PLACE}
    assert (list(controlled.rows), list(controlled.notices)) == ([], [])
    assert await two.journal.cancelled_runs() == {"run-1"}


async def test_control_keeps_watermarks_of_its_own(member: Member) -> None:
    await member.control(cancel_run("run-1"), cancel_run("run-2"))

    marks = await member.journal.lease(member.id, CONTROL_GROUP, [CONTROL_PLACE])

    assert marks == {CONTROL_PLACE: 2}
    assert await member.journal.lease(member.id, GROUP, [CONTROL_PLACE]) == {CONTROL_PLACE: None}


async def test_invalid_control_becomes_dead_letters_of_this_process(member: Member) -> None:
    controlled = await member.control(dead=[output("x")])

    assert [row.row for row in controlled.rows] == [output("x")]
    assert list((await member.journal.held(member.id)).rows) == list(controlled.rows)


async def test_commands_are_applied_in_their_order(member: Member) -> None:
    await member.intake(delivery("a"))

    await member.control(pause(), pause(paused=False), pause())

    assert not await member.take()


async def test_commands_to_lanes_that_are_not_there_do_nothing(member: Member) -> None:
    (turn,) = await member.run(delivery("a"))
    await member.commit(done(turn))

    controlled = await member.control(human_answer(turn, "ask", b"yes"), pause("nobody", paused=False))

    assert (list(controlled.rows), list(controlled.notices), controlled.stale) == ([], [], frozenset())
    assert not await member.take()
    assert digest("ask") not in {step.key for step in await member.journal.recorded(turn.identity)}
