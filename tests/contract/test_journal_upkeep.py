from __future__ import annotations

from agentopic.ports.journal import ReplyAddress
from agentopic.testing.journal_commands import cancel, cancel_run, pause
from agentopic.testing.journal_mesh import (
    GROUP,
    PLACE,
    JournalMesh,
    Member,
    answer,
    delivery,
    done,
    intent,
    output,
    parked,
)

HERE = ReplyAddress("test.replies", 0)


async def test_the_backlog_is_counted_per_group(mesh: JournalMesh) -> None:
    member = await mesh.join()
    await member.intake(delivery("a", group="g1"), delivery("b", group="g1"), group="g1")
    (lane,) = await member.take(1, "g1")
    await member.intake(delivery("c", group="g2"), group="g2")
    await member.intake(dead=[(PLACE, output("x"))])
    await member.commit(done(lane, outbox=[output("1"), output("2")]))

    backlog = await member.journal.backlog(["g1", "g2", "g3"])

    counts = {group: (entry.deliveries, entry.unsent) for group, entry in backlog.items()}
    assert counts == {"g1": (1, 2), "g2": (1, 0), "g3": (0, 0), "": (0, 1)}


async def test_a_forgotten_identity_is_a_new_delivery(member: Member) -> None:
    (lane,) = await member.run(delivery("a"))
    await member.commit(done(lane))

    await member.journal.sweep(0)

    assert [again.head for again in await member.run(delivery("a"))] == [b"a"]


async def test_within_the_horizon_nothing_is_forgotten(member: Member) -> None:
    (lane,) = await member.run(delivery("a", request_id="r", reply_to=HERE))
    await member.commit(done(lane, answer=answer("r")))

    await member.journal.sweep(3600)

    repeat = await member.intake(delivery("a", request_id="r", reply_to=HERE))
    assert (repeat.repeats, len(repeat.rows)) == (1, 1)


async def test_unfinished_work_is_never_forgotten(member: Member) -> None:
    (lane,) = await member.run(delivery("a"), delivery("b"))
    await member.journal.open_steps(member.id, [intent(lane, "call")])

    await member.journal.sweep(0)

    assert [step.name for step in await member.journal.recorded(lane.identity)] == ["call"]
    assert (await member.intake(delivery("a"), delivery("b"))).repeats == 2
    (following,) = (await member.commit(done(lane))).started
    assert following.head == b"b"


async def test_a_sweep_forgets_many_identities(member: Member) -> None:
    names = [str(number) for number in range(2500)]
    await member.intake(*(delivery(name, name) for name in names))
    lanes = await member.take(len(names))
    await member.commit(*(done(lane) for lane in lanes))

    await member.journal.sweep(0)

    assert (await member.intake(*(delivery(name, name) for name in names))).repeats == 0


async def test_a_sweep_forgets_the_dead_and_keeps_the_living(mesh: JournalMesh) -> None:
    one, two, three = [await mesh.join() for _ in range(3)]
    await one.bury(two)

    await one.journal.sweep(0)

    assert [peer.id for peer in await one.journal.peers(one.id)] == [three.id]
    assert not await three.take()


async def test_steps_of_a_dead_letter_are_kept_until_the_horizon(member: Member) -> None:
    (lane,) = await member.run(delivery("a"))
    await member.journal.open_steps(member.id, [intent(lane, "call")])
    await member.commit(done(lane, outcome="dead"))

    await member.journal.sweep(3600)
    before = await member.journal.recorded(lane.identity)
    await member.journal.sweep(0)

    assert len(before) == 1
    assert not await member.journal.recorded(lane.identity)


async def test_a_cancelled_run_is_known_for_a_day_whatever_the_horizon(member: Member) -> None:
    await member.control(cancel_run("run-1"))

    await member.journal.sweep(0)

    assert await member.journal.cancelled_runs() == {"run-1"}


async def test_a_tombstone_outlives_a_sweep_within_the_horizon(member: Member) -> None:
    request = delivery("a", request_id="r", reply_to=HERE)
    await member.control(cancel(request, answer("r")))

    await member.journal.sweep(3600)

    assert len((await member.intake(request)).rows) == 1


async def test_a_sweep_keeps_lanes_that_are_paused_and_turns_that_are_parked(member: Member) -> None:
    (lane,) = await member.run(delivery("a", "x"))
    await member.open(intent(lane, "ask", kind="human", note=b"?"))
    await member.commit(parked(lane, "ask"))
    await member.control(pause("y"))

    await member.journal.sweep(0)

    assert [question.note for question in await member.journal.questions([GROUP])] == [b"?"]
    assert not await member.run(delivery("b", "y"))


async def test_marks_outlive_a_sweep(member: Member) -> None:
    await member.intake(delivery("a"))

    await member.journal.sweep(0)

    assert await member.journal.lease(member.id, GROUP, [PLACE]) == {PLACE: 1}


async def test_everything_outlives_the_connection(mesh: JournalMesh) -> None:
    one = await mesh.join()
    (lane,) = await one.run(delivery("a"), delivery("b"))
    await one.commit(done(lane, outbox=[output("x")]))
    await one.journal.aclose()

    two = await mesh.join()
    await two.bury(one)

    (taken,) = await two.take()
    assert (taken.head, [row.row for row in taken.unsent]) == (b"b", [output("x")])


async def test_closing_twice_and_starting_twice_on_one_store_is_allowed(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()

    await one.journal.aclose()
    await one.journal.aclose()

    assert list(await two.take()) == []
