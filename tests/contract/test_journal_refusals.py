from __future__ import annotations

from agentopic.ports.journal import ReplyAddress
from agentopic.testing.journal_mesh import (
    GROUP,
    JournalMesh,
    Member,
    answer,
    delivery,
    done,
    intent,
    output,
    parked,
    refusal,
)

HERE = ReplyAddress("test.replies", 0)


async def test_a_refused_delivery_is_finished_and_answered(member: Member) -> None:
    request = delivery("a", request_id="r", reply_to=HERE)
    await member.intake(request)

    rows = await member.refuse(refusal(request, answer=answer("r", b"no"), outbox=[output("dead")]))

    assert [row.row.value for row in rows] == [b"no", b"dead"]
    assert sorted((await member.journal.held(member.id)).rows) == sorted(rows)
    assert not await member.take()
    assert (await member.intake(request)).repeats == 1


async def test_a_running_delivery_is_not_refused(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (turn,) = await one.run(delivery("a"))

    rows = await two.refuse(refusal(delivery("a"), outbox=[output("dead")]))

    assert not rows
    assert not (await one.commit(done(turn))).lost


async def test_what_is_finished_or_unknown_is_not_refused(member: Member) -> None:
    (turn,) = await member.run(delivery("a"))
    await member.commit(done(turn))

    rows = await member.refuse(
        refusal(delivery("a"), outbox=[output("x")]),
        refusal(delivery("never"), answer=answer("r"), outbox=[output("y")]),
    )

    assert not rows
    assert [lane.head for lane in await member.run(delivery("never"))] == [b"never"]


async def test_refusing_from_the_middle_keeps_the_order_of_the_rest(member: Member) -> None:
    await member.intake(delivery("a"), delivery("b"), delivery("c"))

    await member.refuse(refusal(delivery("b")))

    assert await member.finish_everything() == [b"a", b"c"]


async def test_refusing_twice_in_one_call_refuses_once(member: Member) -> None:
    await member.intake(delivery("a"))

    rows = await member.refuse(
        refusal(delivery("a"), outbox=[output("1")]), refusal(delivery("a"), outbox=[output("2")])
    )

    assert [row.row for row in rows] == [output("1")]


async def test_refusing_a_parked_turn_lets_what_follows_start_afresh(member: Member) -> None:
    (turn,) = await member.run(delivery("a"), delivery("b"))
    await member.open(intent(turn, "ask", kind="human"))
    await member.commit(parked(turn, "ask"))

    await member.refuse(refusal(delivery("a")))

    (following,) = await member.take()
    assert (following.head, following.attempts, following.failures) == (b"b", 1, 0)
    assert not await member.journal.questions([GROUP])


async def test_the_steps_of_a_refused_delivery_go_unless_it_is_dead(member: Member) -> None:
    for name, outcome in (("a", "expired"), ("b", "dead")):
        (turn,) = await member.run(delivery(name, name))
        await member.open(intent(turn, "call"))
        await member.commit(parked(turn))
        await member.refuse(refusal(delivery(name, name), outcome="dead" if outcome == "dead" else "expired"))

    assert not await member.journal.recorded(delivery("a", "a").identity)
    assert len(await member.journal.recorded(delivery("b", "b").identity)) == 1
