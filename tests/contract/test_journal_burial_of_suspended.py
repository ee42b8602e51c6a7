from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from agentopic.ports.journal import ReplyAddress, Started
from agentopic.testing.journal_commands import cancel, human_answer
from agentopic.testing.journal_mesh import (
    JournalMesh,
    Member,
    answer,
    delivery,
    done,
    intent,
    output,
    parked,
    reply,
    result,
)

HERE = ReplyAddress("test.replies", 0)


async def bury(one: Member, two: Member) -> None:
    await two.bury(one)


async def leave(one: Member, two: Member) -> None:
    await one.journal.leave(one.id)


both_ends = pytest.mark.parametrize("end", [bury, leave])
End = Callable[[Member, Member], Awaitable[None]]


async def suspended(member: Member, *kinds: str, due_seconds: float | None = None) -> Started:
    (turn,) = await member.run(delivery("a", request_id="r", reply_to=HERE))
    await member.open(*(intent(turn, kind, kind=kind, due_seconds=due_seconds) for kind in kinds))
    return turn


@both_ends
@pytest.mark.parametrize(
    "kinds", [("human",), ("timer",), ("timer", "human"), ("request",), ("human", "request"), ("human", "timer")]
)
async def test_a_suspended_turn_is_ready_at_once_without_a_crash(
    mesh: JournalMesh, end: End, kinds: tuple[str, ...]
) -> None:
    one, two = await mesh.join(), await mesh.join()
    await suspended(one, *kinds, due_seconds=3600 if "timer" in kinds else None)

    await end(one, two)

    (again,) = await two.take()
    assert (again.attempts, again.crashes, again.failures) == (2, 0, 0)


@both_ends
async def test_an_answer_given_before_a_suspended_turn_is_taken_again_is_there_for_it(
    mesh: JournalMesh, end: End
) -> None:
    one, two = await mesh.join(), await mesh.join()
    turn = await suspended(one, "human")
    await end(one, two)

    await two.control(human_answer(turn, "human", b"yes"))

    (again,) = await two.take()
    recorded = await two.journal.recorded(again.identity)
    assert [row.result for row in recorded] == [b"yes"]
    assert not await two.take()


@pytest.mark.parametrize("kinds", [(), ("tool",), ("model",), ("human", "tool"), ("request", "model")])
async def test_a_turn_with_a_call_under_way_was_running(mesh: JournalMesh, kinds: tuple[str, ...]) -> None:
    one, two = await mesh.join(), await mesh.join()
    await suspended(one, *kinds)

    await two.bury(one)

    (again,) = await two.take()
    assert again.crashes == 1


async def test_a_turn_whose_waits_are_over_was_running(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    turn = await suspended(one, "request")
    await one.close(reply(turn, "request"))

    await two.bury(one)

    (again,) = await two.take()
    assert again.crashes == 1


async def test_a_finished_call_beside_an_open_question_does_not_count_as_running(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    turn = await suspended(one, "human", "tool")
    await one.close(result(turn, "tool", b"paid"))

    await two.bury(one)

    (again,) = await two.take()
    assert again.crashes == 0


TIMED_OUT = "a timer that has fired beside an open question"
ANSWERED = "an answer beside an open question"


async def moving(member: Member, other: Member, *, by: str) -> Started:
    """Run a turn that waits for a person, and has got something else it waited for."""
    turn = await suspended(member, "human", "timer")
    if by == ANSWERED:
        await member.open(intent(turn, "second", kind="human"))
        await other.control(human_answer(turn, "second", b"yes"))
    else:
        await member.close(reply(turn, "timer"))
    return turn


moves = pytest.mark.parametrize("by", [TIMED_OUT, ANSWERED])


@moves
async def test_a_turn_that_goes_on_beside_an_open_question_was_running(mesh: JournalMesh, by: str) -> None:
    one, two = await mesh.join(), await mesh.join()
    await moving(one, two, by=by)

    await two.bury(one)

    (again,) = await two.take()
    assert (again.attempts, again.crashes) == (2, 1)


@moves
async def test_a_turn_that_goes_on_when_its_process_leaves_is_ready_at_once(mesh: JournalMesh, by: str) -> None:
    one, two = await mesh.join(), await mesh.join()
    await moving(one, two, by=by)

    await one.journal.leave(one.id)

    (again,) = await two.take()
    assert (again.attempts, again.crashes) == (2, 0)


@both_ends
@moves
@pytest.mark.parametrize("wait", ["fresh", "human"])
async def test_a_turn_of_which_one_branch_goes_on_and_another_waits_anew_is_ready_at_once(
    mesh: JournalMesh, end: End, by: str, wait: str
) -> None:
    one, two = await mesh.join(), await mesh.join()
    turn = await moving(one, two, by=by)
    await one.open(intent(turn, wait, kind="human"))

    await end(one, two)

    (again,) = await two.take()
    assert (again.attempts, again.crashes) == (2, 0)


@pytest.mark.parametrize(("name", "kind"), [("timer", "timer"), ("second", "tool"), ("third", "model")])
async def test_neither_a_recorded_wait_nor_a_finished_call_stops_a_turn_that_goes_on(
    mesh: JournalMesh, name: str, kind: str
) -> None:
    one, two = await mesh.join(), await mesh.join()
    turn = await moving(one, two, by=TIMED_OUT)
    await one.open(intent(turn, name, kind=kind))
    await one.close(result(turn, name, b"done"))

    await two.bury(one)

    (again,) = await two.take()
    assert again.crashes == 1


@pytest.mark.parametrize("late", ["repeated", "without lane", "of no such step", "of another turn"])
async def test_a_result_that_changes_nothing_for_a_turn_leaves_it_suspended(mesh: JournalMesh, late: str) -> None:
    one, two = await mesh.join(), await mesh.join()
    turn = await moving(one, two, by=TIMED_OUT)
    await one.open(intent(turn, "fresh", kind="human"), intent(turn, "own", kind="request"))
    await one.close(result(turn, "own", b"reply"))
    strange = result(turn, "no such step", b"reply", lane=turn.lane)
    results = {"repeated": reply(turn, "timer"), "of no such step": strange, "without lane": result(turn, "own", b"x")}
    if late == "of another turn":
        (other,) = await one.run(delivery("b", "other"))
        await one.open(intent(other, "ask", kind="request"))
        results[late] = result(other, "ask", b"reply", lane=turn.lane)
    await one.close(results[late])

    await two.bury(one)

    assert [lane.crashes for lane in await two.take(5) if lane.lane == turn.lane] == [0]


@both_ends
async def test_a_turn_started_again_is_running_until_it_announces_what_it_waits_for(
    mesh: JournalMesh, end: End
) -> None:
    one, two, three = await mesh.join(), await mesh.join(), await mesh.join()
    turn = await suspended(one, "human", "timer")
    await one.commit(parked(turn, "human", "timer"))
    await three.close(reply(turn, "timer"))
    (again,) = await one.take()

    await end(one, two)

    (last,) = await two.take()
    assert (again.attempts, last.attempts, last.crashes) == (2, 3, 1 if end is bury else 0)


@both_ends
async def test_a_parked_turn_outlives_the_process_that_ran_it(mesh: JournalMesh, end: End) -> None:
    one, two = await mesh.join(), await mesh.join()
    turn = await moving(one, two, by=TIMED_OUT)
    await one.commit(parked(turn, "human"))

    await end(one, two)

    assert not await two.take()


async def test_the_next_delivery_of_a_lane_is_running_from_its_start(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    turn = await suspended(one, "human")
    await one.intake(delivery("b"))
    await one.control(human_answer(turn, "human", b"yes"))
    await one.open(intent(turn, "last", kind="timer"))
    (following,) = (await one.commit(done(turn))).started

    await two.bury(one)

    (again,) = await two.take()
    assert (following.head, again.head, again.crashes) == (b"b", b"b", 1)


@both_ends
async def test_a_waiting_turn_with_unsent_rows_is_ready_at_once(mesh: JournalMesh, end: End) -> None:
    one, two = await mesh.join(), await mesh.join()
    (turn,) = await one.run(delivery("a"))
    await one.open(intent(turn, "ask", kind="human", outbox=(output("question"),)))

    await end(one, two)

    (again,) = await two.take()
    assert (again.crashes, [row.row for row in again.unsent]) == (0, [output("question")])


@both_ends
async def test_a_cancelled_turn_is_not_left_waiting(mesh: JournalMesh, end: End) -> None:
    one, two = await mesh.join(), await mesh.join()
    await suspended(one, "human")
    await two.control(cancel(delivery("a"), answer("r")))

    await end(one, two)

    (again,) = await two.take()
    assert (again.cancelled, again.crashes) == (True, 0)


async def test_what_was_running_beside_a_suspended_turn_counts_its_crash(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    await one.run(delivery("a", "running"))
    (waiting,) = await one.run(delivery("b", "waiting"))
    await one.open(intent(waiting, "ask", kind="request"))

    await two.bury(one)

    lanes = {lane.key: lane for lane in await two.take(5)}
    assert {key: lane.crashes for key, lane in lanes.items()} == {"running": 1, "waiting": 0}


async def test_the_beat_is_returned_and_shown_among_the_holdings(member: Member) -> None:
    async with member.journal.heart(member.id) as heart:
        first = await heart.beat()
        second = await heart.beat()

    assert second > first
    assert (await member.journal.held(member.id)).beat == second
