from __future__ import annotations

import asyncio

from agentopic.testing.journal_mesh import GROUP, JournalMesh, Member, deferred, delivery, done, output


async def test_the_lane_ready_for_longest_is_taken_first(member: Member) -> None:
    for name in ("a", "b", "c"):
        await member.intake(delivery(name, name))

    taken = [lane.head for _ in range(3) for lane in await member.take()]

    assert taken == [b"a", b"b", b"c"]


async def test_never_more_lanes_are_taken_than_there_are_slots(member: Member) -> None:
    await member.intake(*(delivery("a", f"k{number}") for number in range(5)))

    first = await member.take(3)
    second = await member.take(3)

    assert (len(first), len(second)) == (3, 2)
    assert not await member.take(0)


async def test_slots_are_counted_per_group(member: Member) -> None:
    for group in ("g1", "g2", "g3"):
        await member.intake(delivery("a", "x", group=group), delivery("b", "y", group=group), group=group)

    taken = await member.journal.take(member.id, {"g1": 1, "g2": 2})

    assert sorted(lane.group for lane in taken) == ["g1", "g2", "g2"]


async def test_an_owned_lane_is_never_taken(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    await one.run(delivery("a"))

    assert not await two.take()
    assert not await one.take()


async def test_a_lane_is_not_taken_before_its_time(member: Member) -> None:
    (lane,) = await member.run(delivery("a"))

    await member.commit(deferred(lane, 3600))

    assert not await member.take()


async def test_each_taking_counts_an_attempt_and_draws_a_new_token(member: Member) -> None:
    (first,) = await member.run(delivery("a"))
    await member.commit(deferred(first))

    (second,) = await member.take()

    assert (first.attempts, second.attempts) == (1, 2)
    assert first.token != second.token
    assert first.pos == second.pos


async def test_two_takers_never_get_one_lane(mesh: JournalMesh) -> None:
    members = [await mesh.join() for _ in range(3)]
    await members[0].intake(*(delivery("a", f"k{number}") for number in range(30)))

    takings = await asyncio.gather(*(member.take(4) for member in members * 4))

    keys = [lane.key for taking in takings for lane in taking]
    assert len(keys) == len(set(keys)) == 30


async def test_a_lane_left_with_unsent_rows_is_taken_to_send_them(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (lane,) = await one.run(delivery("a"))
    committed = await one.commit(done(lane, outbox=[output("x"), output("y"), output("z")]))
    await two.bury(one)

    (taken,) = await two.take()

    assert (taken.pos, taken.key, taken.group) == (None, "k", GROUP)
    assert list(taken.unsent) == list(committed.rows)
    assert [row.row for row in taken.unsent] == [output("x"), output("y"), output("z")]


async def test_a_lane_with_rows_and_deliveries_is_taken_with_both(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (lane,) = await one.run(delivery("a"), delivery("b"))
    committed = await one.commit(done(lane, outbox=[output("x")]))
    await two.bury(one)

    (taken,) = await two.take()

    assert (taken.head, taken.attempts, taken.crashes) == (b"b", 2, 1)
    assert list(taken.unsent) == list(committed.rows)


async def test_a_lane_taken_at_intake_carries_the_rows_left_in_it(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (lane,) = await one.run(delivery("a"))
    committed = await one.commit(done(lane, outbox=[output("x")]))
    await two.bury(one)

    (taken,) = await two.run(delivery("b"))

    assert taken.head == b"b"
    assert list(taken.unsent) == list(committed.rows)


async def test_a_lane_taken_for_its_rows_ends_when_they_are_sent(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (lane,) = await one.run(delivery("a"))
    await one.commit(done(lane, outbox=[output("x")]))
    await two.bury(one)
    (taken,) = await two.take()

    await two.commit(sent=taken.unsent)

    assert not await two.take()
    assert not (await two.journal.held(two.id)).lanes
    assert (await two.journal.backlog([GROUP]))[GROUP].unsent == 0


async def test_the_version_of_the_stored_state_comes_with_the_lane(member: Member) -> None:
    from agentopic.ports.journal import StateChange

    (lane,) = await member.run(delivery("a"))
    await member.commit(done(lane, state=StateChange(expected=0, snapshot=b"s")))

    (again,) = await member.run(delivery("b"))

    assert again.version == 1
