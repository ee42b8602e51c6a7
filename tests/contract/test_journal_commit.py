from __future__ import annotations

from dataclasses import replace

import pytest

from agentopic.ports.journal import AgentState, ReplyAddress, StateChange, TurnDone
from agentopic.testing.journal_mesh import (
    GROUP,
    JournalMesh,
    Member,
    answer,
    by_lane,
    deferred,
    delivery,
    done,
    eventually,
    intent,
    output,
)


async def test_a_finished_lane_without_rows_is_gone(member: Member) -> None:
    (lane,) = await member.run(delivery("a"))

    committed = await member.commit(done(lane))

    assert (set(committed.lost), list(committed.started), list(committed.rows)) == (set(), [], [])
    assert not (await member.journal.held(member.id)).lanes
    assert not await member.take()
    assert (await member.journal.backlog([GROUP]))[GROUP].deliveries == 0


async def test_the_next_head_starts_with_its_attempt_counted(member: Member) -> None:
    (lane,) = await member.run(delivery("a"), delivery("b", body=b"body"))

    (following,) = (await member.commit(done(lane))).started

    assert (following.head, following.body, following.attempts) == (b"b", b"body", 1)
    assert (following.lane, following.key, following.group) == (lane.lane, "k", GROUP)
    assert not following.unsent
    assert not (await member.commit(done(following))).lost


async def test_a_wrong_token_is_lost(member: Member) -> None:
    (lane,) = await member.run(delivery("a"))

    committed = await member.commit(replace(done(lane, outbox=[output("x")]), token=lane.token + 1000))

    assert set(committed.lost) == {lane.lane}
    assert not committed.rows
    assert (await member.journal.backlog([GROUP]))[GROUP].deliveries == 1


async def test_another_delivery_than_the_running_one_is_lost(member: Member) -> None:
    (lane,) = await member.run(delivery("a"), delivery("b"))

    committed = await member.commit(replace(done(lane), pos=(lane.pos or 0) + 1))

    assert set(committed.lost) == {lane.lane}
    assert not committed.started


async def test_another_owner_is_lost(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (lane,) = await one.run(delivery("a"))

    committed = await two.commit(done(lane))

    assert set(committed.lost) == {lane.lane}
    assert not (await one.commit(done(lane))).lost


async def test_a_lane_that_is_gone_is_lost(member: Member) -> None:
    (lane,) = await member.run(delivery("a"))
    await member.commit(done(lane))

    done_again = await member.commit(done(lane, outbox=[output("x")]))
    deferred_then = await member.commit(deferred(lane))

    assert set(done_again.lost) == set(deferred_then.lost) == {lane.lane}
    assert not done_again.rows


async def test_a_lane_given_up_and_taken_again_is_lost_to_its_old_token(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (old,) = await one.run(delivery("a"))
    await one.commit(deferred(old))
    (new,) = await two.take()

    late = await one.commit(done(old))

    assert set(late.lost) == {old.lane}
    assert not (await two.commit(done(new))).lost


async def test_a_lost_lane_leaves_its_neighbours_stored(member: Member) -> None:
    lanes = by_lane(await member.run(delivery("a", "x"), delivery("b", "y"), delivery("c", "z")))

    committed = await member.commit(
        done(lanes["x"], outbox=[output("1")]),
        replace(done(lanes["y"], outbox=[output("2")]), token=0),
        done(lanes["z"], outbox=[output("3")]),
    )

    assert set(committed.lost) == {lanes["y"].lane}
    assert [row.row for row in committed.rows] == [output("1"), output("3")]
    assert (await member.journal.backlog([GROUP]))[GROUP].deliveries == 1


async def test_state_is_stored_and_read_back(member: Member) -> None:
    (lane,) = await member.run(delivery("a"), delivery("b"))
    assert await member.journal.load(lane.lane) is None

    (following,) = (await member.commit(done(lane, state=StateChange(expected=0, snapshot=b"one")))).started
    await member.commit(done(following, state=StateChange(expected=1, snapshot=b"two\0")))

    assert following.version == 1
    assert await member.journal.load(lane.lane) == AgentState(version=2, snapshot=b"two\0")


@pytest.mark.parametrize("expected", [1, 7, -1])
async def test_a_state_of_another_version_makes_its_lane_lost(member: Member, expected: int) -> None:
    (lane,) = await member.run(delivery("a"))

    committed = await member.commit(
        done(lane, state=StateChange(expected=expected, snapshot=b"s"), outbox=[output("x")])
    )

    assert set(committed.lost) == {lane.lane}
    assert not committed.rows
    assert await member.journal.load(lane.lane) is None
    assert [held.pos for held in (await member.journal.held(member.id)).lanes] == [lane.pos]


async def test_an_overtaken_state_makes_its_lane_lost(member: Member) -> None:
    (lane,) = await member.run(delivery("a"), delivery("b"))
    (following,) = (await member.commit(done(lane, state=StateChange(expected=0, snapshot=b"one")))).started

    committed = await member.commit(done(following, state=StateChange(expected=0, snapshot=b"other")))

    assert set(committed.lost) == {lane.lane}
    assert await member.journal.load(lane.lane) == AgentState(version=1, snapshot=b"one")


async def test_state_outlives_its_lane(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (lane,) = await one.run(delivery("a"))
    await one.commit(done(lane, state=StateChange(expected=0, snapshot=b"one")))

    state = await two.journal.load(lane.lane)

    assert state == AgentState(version=1, snapshot=b"one")


async def test_a_deferred_turn_is_free_for_anyone_and_counts_its_failure(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (lane,) = await one.run(delivery("a"), delivery("b"))

    committed = await one.commit(deferred(lane, failed=True))
    (again,) = await two.take()

    assert not committed.started
    assert (again.head, again.attempts, again.failures, again.crashes) == (b"a", 2, 1, 0)


async def test_a_turn_deferred_without_failure_counts_none(member: Member) -> None:
    (lane,) = await member.run(delivery("a"))
    await member.commit(deferred(lane, failed=False))

    (again,) = await member.take()

    assert (again.attempts, again.failures) == (2, 0)


async def test_a_deferred_turn_comes_back_after_its_delay(member: Member) -> None:
    (lane,) = await member.run(delivery("a"))
    await member.commit(deferred(lane, 0.02))

    (again,) = await eventually(member.take)

    assert again.head == b"a"


async def test_what_follows_a_deferred_turn_waits_behind_it(member: Member) -> None:
    (lane,) = await member.run(delivery("a"), delivery("b"))
    await member.commit(deferred(lane))

    heads = await member.finish_everything()

    assert heads == [b"a", b"b"]


async def test_a_failure_counts_for_its_delivery_alone(member: Member) -> None:
    (lane,) = await member.run(delivery("a"), delivery("b"))
    await member.commit(deferred(lane, failed=True))
    (again,) = await member.take()

    (following,) = (await member.commit(done(again))).started

    assert (following.failures, following.attempts) == (0, 1)


async def test_a_lane_handed_back_is_free_at_once(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (lane,) = await one.run(delivery("a"), delivery("b"))

    committed = await one.commit(done(lane, hand_back=True))
    (taken,) = await two.take()

    assert not committed.started
    assert (taken.head, taken.attempts, taken.failures) == (b"b", 1, 0)


async def test_a_lane_handed_back_goes_behind_those_that_wait(member: Member) -> None:
    (lane,) = await member.run(delivery("a", "x"), delivery("b", "x"))
    await member.intake(delivery("c", "y"))
    await member.commit(done(lane, hand_back=True))

    taken = [lane.head for _ in range(2) for lane in await member.take()]

    assert taken == [b"c", b"b"]


async def test_a_delivery_that_arrives_as_its_lane_ends_is_not_lost(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (lane,) = await one.run(delivery("a"))
    await one.commit(done(lane))

    await two.intake(delivery("b"))

    assert await one.finish_everything() == [b"b"]


async def test_every_turn_of_a_large_commit_is_stored(member: Member) -> None:
    count = 300
    lanes = await member.run(*(delivery("a", f"k{number}") for number in range(count)))

    committed = await member.commit(*(done(lane, outbox=[output(lane.key)]) for lane in lanes))

    assert (len(lanes), len(committed.rows), len(committed.lost)) == (count, count, 0)
    assert [row.row.value for row in committed.rows] == [lane.key.encode() for lane in lanes]


async def test_an_answer_goes_to_its_address_after_the_outputs(member: Member) -> None:
    address = ReplyAddress("test.replies", 2)
    (lane,) = await member.run(delivery("a", request_id="r1", reply_to=address))

    committed = await member.commit(done(lane, outbox=[output("x")], answer=answer("r1", b"found")))

    first, second = committed.rows
    assert (first.row, first.lane) == (output("x"), lane.lane)
    assert (second.row.topic, second.row.partition, second.row.value) == ("test.replies", 2, b"found")
    assert second.lane is None
    assert second.id > first.id


async def test_a_lost_turn_answers_nobody(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    address = ReplyAddress("test.replies", 2)
    (lane,) = await one.run(delivery("a", request_id="r1", reply_to=address))

    committed = await two.commit(done(lane, answer=answer("r1")))
    repeat = await two.intake(delivery("a", request_id="r1", reply_to=address))

    assert not committed.rows
    assert not repeat.rows


async def test_a_finished_turn_forgets_its_steps_and_a_dead_one_keeps_them(member: Member) -> None:
    lanes = by_lane(await member.run(delivery("a", "x"), delivery("b", "y")))
    for lane in lanes.values():
        await member.journal.open_steps(member.id, [intent(lane, "call")])

    turns: list[TurnDone] = [done(lanes["x"]), replace(done(lanes["y"]), outcome="dead")]
    await member.commit(*turns)

    assert not await member.journal.recorded(lanes["x"].identity)
    assert [step.name for step in await member.journal.recorded(lanes["y"].identity)] == ["call"]


async def test_a_deferred_turn_keeps_its_steps(member: Member) -> None:
    (lane,) = await member.run(delivery("a"))
    await member.journal.open_steps(member.id, [intent(lane, "call")])

    await member.commit(deferred(lane))

    assert [step.name for step in await member.journal.recorded(lane.identity)] == ["call"]


async def test_an_empty_commit_is_allowed(member: Member) -> None:
    committed = await member.commit()

    assert (set(committed.lost), list(committed.started), list(committed.rows)) == (set(), [], [])
