from __future__ import annotations

from dataclasses import replace

from agentopic.ports.journal import IntakeBatch, MarkAdvance, ReplyAddress
from agentopic.ports.transport import TopicPartition
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

OTHER_PLACE = TopicPartition("test.topic.task", 1)
HERE = ReplyAddress("test.replies", 3)
THERE = ReplyAddress("test.replies", 5)


async def test_a_stored_delivery_is_started_with_its_first_attempt_counted(member: Member) -> None:
    taken = await member.intake(delivery("a", body=b"body"), free=1)

    (lane,) = taken.started
    assert (lane.head, lane.body, lane.group, lane.key) == (b"a", b"body", GROUP, "k")
    assert (lane.attempts, lane.failures, lane.crashes, lane.version) == (1, 0, 0, 0)
    assert lane.identity == delivery("a").identity
    assert (set(taken.stale), taken.repeats, list(taken.rows)) == (set(), 0, [])


async def test_no_body_and_an_empty_body_stay_different(member: Member) -> None:
    started = by_lane(await member.run(delivery("a", "x", body=None), delivery("b", "y", body=b"")))

    assert started["x"].body is None
    assert started["y"].body == b""


async def test_lanes_are_started_in_order_of_arrival_up_to_the_free_slots(member: Member) -> None:
    taken = await member.intake(delivery("a", "x"), delivery("b", "y"), delivery("c", "x"), delivery("d", "z"), free=2)

    rest = await member.take(5)

    assert [lane.head for lane in taken.started] == [b"a", b"b"]
    assert [lane.head for lane in rest] == [b"d"]


async def test_without_free_slots_everything_is_stored_and_ready(member: Member) -> None:
    taken = await member.intake(delivery("a", "x"), delivery("b", "y"))

    ready = await member.take(5)

    assert not taken.started
    assert sorted(lane.head for lane in ready) == [b"a", b"b"]
    assert all(lane.attempts == 1 for lane in ready)


async def test_a_batch_may_be_empty(member: Member) -> None:
    taken = await member.intake(free=3)

    assert not taken.started
    assert not taken.rows
    assert (taken.stale, taken.repeats) == (set(), 0)


async def test_a_duplicate_in_one_batch_is_stored_once(member: Member) -> None:
    taken = await member.intake(delivery("a"), delivery("a"), free=1)

    assert taken.repeats == 1
    assert (await member.journal.backlog([GROUP]))[GROUP].deliveries == 1


async def test_a_duplicate_of_an_unfinished_delivery_is_stored_once(member: Member) -> None:
    await member.intake(delivery("a"))

    again = await member.intake(delivery("a"), free=1)

    assert again.repeats == 1
    assert (await member.journal.backlog([GROUP]))[GROUP].deliveries == 1


async def test_a_duplicate_of_a_finished_delivery_neither_runs_nor_makes_a_lane(member: Member) -> None:
    (lane,) = await member.run(delivery("a"))
    await member.commit(done(lane))

    again = await member.intake(delivery("a"), free=1)

    assert (again.repeats, list(again.started)) == (1, [])
    assert not await member.take(5)


async def test_a_duplicate_stored_by_another_process_is_seen(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    await one.intake(delivery("a"))

    again = await two.intake(delivery("a"), free=1)

    assert again.repeats == 1


async def test_positions_rise_in_the_order_of_commits(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    await one.intake(delivery("a"), delivery("b"))
    await two.intake(delivery("c"))
    await one.intake(delivery("d"))

    positions: list[int | None] = []
    heads: list[bytes] = []
    lanes = await one.take()
    while lanes:
        positions.append(lanes[0].pos)
        heads.append(lanes[0].head)
        lanes = (await one.commit(done(lanes[0]))).started

    assert heads == [b"a", b"b", b"c", b"d"]
    assert positions == sorted(positions, key=lambda pos: pos or 0)
    assert len(set(positions)) == 4


async def test_a_mark_advances_only_from_the_known_value(member: Member) -> None:
    first = IntakeBatch(
        group=GROUP, marks=[MarkAdvance(partition=PLACE, known=None, next=7)], deliveries=[delivery("a")]
    )
    second = replace(first, marks=[MarkAdvance(partition=PLACE, known=7, next=9)], deliveries=[delivery("b")])
    await member.journal.intake(member.id, first)

    stale = await member.journal.intake(member.id, replace(first, deliveries=[delivery("c")], free=1))
    current = await member.journal.intake(member.id, second)

    assert stale.stale == {PLACE}
    assert not stale.started
    assert current.stale == set()
    assert (await member.journal.backlog([GROUP]))[GROUP].deliveries == 2
    assert (await member.journal.lease(member.id, GROUP, [PLACE]))[PLACE] == 9


async def test_a_known_value_for_a_partition_never_read_is_stale(member: Member) -> None:
    batch = IntakeBatch(
        group=GROUP, marks=[MarkAdvance(partition=PLACE, known=3, next=4)], deliveries=[delivery("a")], free=1
    )

    taken = await member.journal.intake(member.id, batch)

    assert taken.stale == {PLACE}
    assert (await member.journal.lease(member.id, GROUP, [PLACE]))[PLACE] is None


async def test_of_a_stale_partition_nothing_is_stored_while_the_others_are(member: Member) -> None:
    await member.intake(delivery("a", "x"))
    batch = IntakeBatch(
        group=GROUP,
        marks=[
            MarkAdvance(partition=PLACE, known=None, next=1),
            MarkAdvance(partition=OTHER_PLACE, known=None, next=2),
        ],
        deliveries=[delivery("b", "y"), delivery("c", "z", place=OTHER_PLACE)],
        dead=[(PLACE, output("lost")), (OTHER_PLACE, output("kept"))],
        free=5,
    )

    taken = await member.journal.intake(member.id, batch)

    assert taken.stale == {PLACE}
    assert [lane.head for lane in taken.started] == [b"c"]
    assert [row.row for row in taken.rows] == [output("kept")]
    assert not (await member.intake(delivery("b", "y"))).repeats


async def test_a_partition_leased_by_another_is_stale(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    await one.journal.lease(one.id, GROUP, [PLACE])

    foreign = await two.intake(delivery("a"), free=1)
    own = await one.intake(delivery("a"), free=1)

    assert foreign.stale == {PLACE}
    assert not foreign.started
    assert [lane.head for lane in own.started] == [b"a"]


async def test_marks_of_two_groups_are_apart(member: Member) -> None:
    await member.intake(delivery("a"))

    other = await member.intake(delivery("a", group="test.other"), group="test.other", free=1)

    assert other.stale == set()
    assert [lane.group for lane in other.started] == ["test.other"]
    assert not await member.take(5, "test.third")


async def test_dead_letters_of_a_batch_become_rows_of_the_process(member: Member) -> None:
    taken = await member.intake(dead=[(PLACE, output("one")), (PLACE, output("two"))])

    held = await member.journal.held(member.id)

    assert [row.row for row in taken.rows] == [output("one"), output("two")]
    assert all(row.lane is None for row in taken.rows)
    assert sorted(held.rows) == sorted(taken.rows)


async def test_a_row_keeps_all_its_parts(member: Member) -> None:
    row = replace(output("x"), key=None, value=None, headers=(("a", b"\xff\0"), ("a", b""), ("b", b"2")), partition=4)
    empty = replace(output("y"), key=b"", value=b"", headers=())

    taken = await member.intake(dead=[(PLACE, row), (PLACE, empty)])

    held = await member.journal.held(member.id)
    assert [stored.row for stored in taken.rows] == [row, empty]
    assert [stored.row for stored in sorted(held.rows)] == [row, empty]


async def test_a_repeat_of_a_finished_request_sends_its_stored_answer_again(member: Member) -> None:
    (lane,) = await member.run(delivery("a", request_id="r1", reply_to=HERE))
    await member.commit(done(lane, answer=answer("r1", b"found")))

    again = await member.intake(delivery("a", request_id="r1", reply_to=THERE), free=1)

    (row,) = again.rows
    assert (row.lane, row.row.topic, row.row.partition) == (None, THERE.topic, THERE.partition)
    assert (row.row.key, row.row.value, row.row.headers) == (b"k", b"found", (("agmsgkind", b"reply"),))
    assert not again.started


async def test_a_finished_request_without_answer_is_a_silent_repeat(member: Member) -> None:
    (lane,) = await member.run(delivery("a", request_id="r1", reply_to=HERE))
    await member.commit(done(lane))

    again = await member.intake(delivery("a", request_id="r1", reply_to=HERE), free=1)

    assert again.repeats == 1
    assert not again.rows


async def test_an_unfinished_request_is_answered_to_every_address_once(member: Member) -> None:
    (lane,) = await member.run(delivery("a", request_id="r1", reply_to=HERE))
    for address in (THERE, HERE, THERE):
        repeat = await member.intake(delivery("a", request_id="r1", reply_to=address))
        assert not repeat.rows

    committed = await member.commit(done(lane, answer=answer("r1")))

    addresses = [(row.row.topic, row.row.partition) for row in committed.rows]
    assert sorted(addresses) == sorted([tuple(HERE), tuple(THERE)])


async def test_a_lane_of_mine_that_only_waits_for_its_rows_is_started(member: Member) -> None:
    (lane,) = await member.run(delivery("a"))
    await member.commit(done(lane, outbox=[output("x")]))

    taken = await member.intake(delivery("b"), free=1)

    (again,) = taken.started
    assert (again.head, again.attempts) == (b"b", 1)
    assert not again.unsent
    assert not (await member.commit(done(again))).lost


async def test_a_lane_of_mine_that_only_waits_for_its_rows_queues_without_a_slot(member: Member) -> None:
    (lane,) = await member.run(delivery("a"))
    committed = await member.commit(done(lane, outbox=[output("x")]))
    await member.intake(delivery("b"))

    before = await member.take()
    await member.commit(sent=committed.rows)
    after = await member.take()

    assert not before
    assert [lane.head for lane in after] == [b"b"]


async def test_a_running_lane_queues(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (lane,) = await one.run(delivery("a"))

    own = await one.intake(delivery("b"), free=1)
    foreign = await two.intake(delivery("c"), free=1)
    committed = await one.commit(done(lane))

    assert not own.started
    assert not foreign.started
    assert [lane.head for lane in committed.started] == [b"b"]


async def test_a_deferred_lane_is_not_hurried_by_a_new_delivery(member: Member) -> None:
    (lane,) = await member.run(delivery("a"))
    await member.commit(deferred(lane, 3600))

    taken = await member.intake(delivery("b"), free=1)

    assert not taken.started
    assert not await member.take()


async def test_a_deferred_lane_with_unsent_rows_is_not_hurried_either(member: Member) -> None:
    (lane,) = await member.run(delivery("a"), delivery("b"))
    (second,) = (await member.commit(done(lane, outbox=[output("x")]))).started
    await member.commit(deferred(second, 3600))

    taken = await member.intake(delivery("c"), free=1)

    assert not taken.started
    assert not await member.take()


async def test_a_waiting_lane_keeps_its_place_in_the_queue(member: Member) -> None:
    await member.intake(delivery("a", "x"))
    await member.intake(delivery("b", "y"))
    await member.intake(delivery("c", "x"))

    (lane,) = await member.take(1)

    assert lane.head == b"a"
