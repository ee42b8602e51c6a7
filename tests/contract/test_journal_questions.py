from __future__ import annotations

import asyncio

from agentopic.ports.transport import TopicPartition
from agentopic.testing.journal_commands import human_answer
from agentopic.testing.journal_mesh import (
    GROUP,
    JournalMesh,
    Member,
    delivery,
    digest,
    done,
    intent,
    parked,
    result,
)


async def test_an_open_question_is_listed_with_what_it_says(member: Member) -> None:
    (turn,) = await member.run(delivery("a", "customer"))
    await member.open(intent(turn, "ask", kind="human", note=b'{"text":"?"}'), intent(turn, "call"))

    (question,) = await member.journal.questions([GROUP])

    assert (question.group, question.key, question.turn, question.step, question.note) == (
        GROUP,
        "customer",
        turn.identity,
        digest("ask"),
        b'{"text":"?"}',
    )
    assert question.asked_ms > 0


async def test_questions_are_listed_per_group_and_in_the_order_they_were_asked(member: Member) -> None:
    for name in ("x", "y", "z"):
        (turn,) = await member.run(delivery(name, name))
        await member.open(intent(turn, "ask", kind="human", note=name.encode()))
    (other,) = (await member.intake(delivery("o", group="g2"), group="g2", free=1)).started
    await member.open(intent(other, "ask", kind="human", note=b"other"))

    mine = await member.journal.questions([GROUP])
    everything = await member.journal.questions([GROUP, "g2"])

    assert [question.note for question in mine] == [b"x", b"y", b"z"]
    assert {question.note for question in everything} == {b"x", b"y", b"z", b"other"}
    assert not await member.journal.questions([])


async def test_an_answered_question_and_one_of_a_finished_turn_are_listed_no_more(member: Member) -> None:
    one, two, three = await member.run(delivery("a", "x"), delivery("b", "y"), delivery("c", "z"))
    await member.open(*(intent(turn, "ask", kind="human", note=b"?") for turn in (one, two, three)))

    await member.control(human_answer(one, "ask", b"yes"))
    await member.commit(done(two), done(three, outcome="dead"))

    assert not await member.journal.questions([GROUP])


async def test_an_answer_makes_a_parked_turn_ready(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (turn,) = await one.run(delivery("a"))
    await one.open(intent(turn, "ask", kind="human", note=b"?"))
    await one.commit(parked(turn, "ask"))

    controlled = await two.control(human_answer(turn, "ask", b"yes"))

    assert not controlled.notices
    (again,) = await one.take()
    (row,) = await one.open(intent(again, "ask", kind="human", note=b"?"))
    assert (row.result, row.fresh) == (b"yes", False)


async def test_an_answer_to_a_turn_that_is_held_is_told_to_its_holder(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (turn,) = await one.run(delivery("a"))
    await one.open(intent(turn, "ask", kind="human", note=b"?"))

    controlled = await two.control(human_answer(turn, "ask", b"yes"))

    assert [notice.process for notice in controlled.notices] == [one.id]
    letter = (await one.mail())[turn.lane]
    assert (letter.token, letter.cancelled, letter.paused) == (turn.token, False, False)
    assert [step.result for step in await one.journal.recorded(turn.identity)] == [b"yes"]


async def test_the_first_answer_wins(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (turn,) = await one.run(delivery("a"))
    await one.open(intent(turn, "ask", kind="human", note=b"?"))
    await one.control(human_answer(turn, "ask", b"yes"))

    controlled = await two.control(human_answer(turn, "ask", b"no"))

    assert not controlled.notices
    assert [step.result for step in await one.journal.recorded(turn.identity)] == [b"yes"]


async def test_of_two_answers_at_the_same_time_one_wins(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (turn,) = await one.run(delivery("a"))
    await one.open(intent(turn, "ask", kind="human", note=b"?"))
    places = [TopicPartition("test.control.worker", partition) for partition in (1, 2)]

    controlled = await asyncio.gather(
        one.control(human_answer(turn, "ask", b"yes", place=places[0])),
        two.control(human_answer(turn, "ask", b"no", place=places[1])),
    )

    assert sum(len(each.notices) for each in controlled) == 1
    assert [step.result for step in await one.journal.recorded(turn.identity)] in ([b"yes"], [b"no"])


async def test_an_answer_does_not_replace_the_result_of_another_kind_of_step(member: Member) -> None:
    (turn,) = await member.run(delivery("a"))
    await member.open(intent(turn, "call"))

    await member.control(human_answer(turn, "call", b"forged"))

    assert [step.result for step in await member.journal.recorded(turn.identity)] == [None]


async def test_an_answer_that_comes_between_the_decision_to_park_and_the_parking_is_not_missed(
    mesh: JournalMesh,
) -> None:
    one, two = await mesh.join(), await mesh.join()
    (turn,) = await one.run(delivery("a"))
    await one.open(intent(turn, "ask", kind="human", note=b"?"))
    await two.control(human_answer(turn, "ask", b"yes"))

    await one.commit(parked(turn, "ask"))

    assert [lane.head for lane in await two.take()] == [b"a"]


async def test_an_answer_by_the_process_itself_counts_as_first(member: Member) -> None:
    (turn,) = await member.run(delivery("a"))
    await member.open(intent(turn, "ask", kind="human", note=b"?"))
    await member.close(result(turn, "ask", b"default"))

    await member.control(human_answer(turn, "ask", b"yes"))

    assert [step.result for step in await member.journal.recorded(turn.identity)] == [b"default"]
