from __future__ import annotations

from dataclasses import replace

from agentopic.testing.journal_mesh import (
    JournalMesh,
    Member,
    deferred,
    delivery,
    digest,
    done,
    intent,
    result,
)


async def test_an_intent_is_stored_once_and_then_returned(member: Member) -> None:
    (lane,) = await member.run(delivery("a"))

    (first,) = await member.journal.open_steps(member.id, [intent(lane, "call")])
    (second,) = await member.journal.open_steps(member.id, [intent(lane, "call")])

    assert first is not None
    assert second is not None
    assert (first.key, first.kind, first.name, first.result, first.fresh) == (
        digest("call"),
        "tool",
        "call",
        None,
        True,
    )
    assert second == replace(first, fresh=False)


async def test_intents_are_answered_in_order(member: Member) -> None:
    (lane,) = await member.run(delivery("a"))
    names = ["z", "a", "m"]
    await member.journal.open_steps(member.id, [intent(lane, "m")])

    rows = await member.journal.open_steps(member.id, [intent(lane, name) for name in names])

    assert [row.name for row in rows if row is not None] == names
    assert [row.fresh for row in rows if row is not None] == [True, True, False]


async def test_a_step_opened_twice_in_one_call_is_fresh_once(member: Member) -> None:
    (lane,) = await member.run(delivery("a"))

    rows = await member.journal.open_steps(member.id, [intent(lane, "call"), intent(lane, "call")])

    assert [row.fresh for row in rows if row is not None] == [True, False]


async def test_under_a_wrong_token_no_step_is_opened(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (lane,) = await one.run(delivery("a"))
    wrong = [
        replace(intent(lane, "token"), token=lane.token + 1000),
        replace(intent(lane, "pos"), pos=(lane.pos or 0) + 1000),
        replace(intent(lane, "lane"), lane=digest("elsewhere")),
    ]

    rows = await one.journal.open_steps(one.id, [*wrong, intent(lane, "right")])
    foreign = await two.journal.open_steps(two.id, [intent(lane, "foreign")])

    assert [row is None for row in rows] == [True, True, True, False]
    assert list(foreign) == [None]
    assert [step.name for step in await one.journal.recorded(lane.identity)] == ["right"]


async def test_a_recorded_result_is_found_by_the_next_attempt(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (old,) = await one.run(delivery("a"))
    await one.journal.open_steps(one.id, [intent(old, "call")])
    await one.journal.close_steps(one.id, [result(old, "call", b"paid")])
    await one.commit(deferred(old))
    (new,) = await two.take()

    (row,) = await two.journal.open_steps(two.id, [intent(new, "call")])

    assert row is not None
    assert (row.result, row.fresh) == (b"paid", False)


async def test_the_first_result_wins(member: Member) -> None:
    (lane,) = await member.run(delivery("a"))
    await member.journal.open_steps(member.id, [intent(lane, "call")])

    (first,) = await member.journal.close_steps(member.id, [result(lane, "call", b"one")])
    (second,) = await member.journal.close_steps(member.id, [result(lane, "call", b"two")])

    assert first.result == second.result == b"one"
    assert (second.name, second.kind, second.key) == ("call", "tool", digest("call"))


async def test_an_empty_result_is_a_result(member: Member) -> None:
    (lane,) = await member.run(delivery("a"))
    await member.journal.open_steps(member.id, [intent(lane, "call")])

    await member.journal.close_steps(member.id, [result(lane, "call", b"")])
    (second,) = await member.journal.close_steps(member.id, [result(lane, "call", b"two")])

    assert second.result == b""


async def test_results_are_answered_in_order(member: Member) -> None:
    (lane,) = await member.run(delivery("a"))
    names = ["z", "a", "m"]
    await member.journal.open_steps(member.id, [intent(lane, name) for name in sorted(names)])

    rows = await member.journal.close_steps(member.id, [result(lane, name, name.encode()) for name in names])

    assert [(row.name, row.result) for row in rows] == [(name, name.encode()) for name in names]


async def test_a_result_is_stored_under_an_old_token(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (old,) = await one.run(delivery("a"))
    await one.journal.open_steps(one.id, [intent(old, "call")])
    await one.commit(deferred(old))
    (new,) = await two.take()

    await one.journal.close_steps(one.id, [result(old, "call", b"late")])
    (row,) = await two.journal.close_steps(two.id, [result(new, "call", b"later")])

    assert row.result == b"late"


async def test_a_result_that_comes_after_the_end_of_its_turn_leaves_nothing(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (old,) = await one.run(delivery("a"))
    await one.journal.open_steps(one.id, [intent(old, "call")])
    await one.commit(deferred(old))
    (new,) = await two.take()
    await two.commit(done(new))

    (row,) = await one.journal.close_steps(one.id, [result(old, "call", b"late")])

    assert row.result == b"late"
    assert not await one.journal.recorded(old.identity)


async def test_steps_are_recorded_in_the_order_of_their_intents(member: Member) -> None:
    (lane,) = await member.run(delivery("a"))
    await member.journal.open_steps(member.id, [intent(lane, "z"), intent(lane, "b")])
    await member.journal.open_steps(member.id, [intent(lane, "a")])
    await member.journal.close_steps(member.id, [result(lane, "a", b"1")])

    steps = await member.journal.recorded(lane.identity)

    assert [(step.name, step.result) for step in steps] == [("z", None), ("b", None), ("a", b"1")]
    assert not any(step.fresh for step in steps)


async def test_steps_of_two_turns_are_apart(member: Member) -> None:
    one, two = await member.run(delivery("a", "x"), delivery("b", "y"))
    await member.journal.open_steps(member.id, [intent(one, "call"), intent(two, "call")])

    await member.journal.close_steps(member.id, [result(two, "call", b"2")])

    assert [step.result for step in await member.journal.recorded(one.identity)] == [None]
    assert [step.result for step in await member.journal.recorded(two.identity)] == [b"2"]


async def test_empty_step_calls_are_allowed(member: Member) -> None:
    assert list(await member.journal.open_steps(member.id, [])) == []
    assert list(await member.journal.close_steps(member.id, [])) == []
    assert list(await member.journal.recorded(b"0" * 16)) == []
