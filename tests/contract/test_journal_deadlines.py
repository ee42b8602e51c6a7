from __future__ import annotations

import time

from agentopic.testing.journal_mesh import Member, deferred, delivery, done, eventually, intent, parked

PAST_MS = 1


def soon_ms(seconds: float = 3600.0) -> int:
    return round((time.time() + seconds) * 1000)


async def test_a_head_whose_deadline_has_passed_is_started_as_expired(member: Member) -> None:
    (lane,) = await member.run(delivery("a", deadline_ms=PAST_MS))

    assert lane.expired


async def test_a_head_within_its_deadline_is_not_expired(member: Member) -> None:
    with_deadline, without = await member.run(delivery("a", "x", deadline_ms=soon_ms()), delivery("b", "y"))

    assert not with_deadline.expired
    assert not without.expired


async def test_the_deadline_is_judged_when_a_turn_starts(member: Member) -> None:
    (lane,) = await member.run(delivery("a", deadline_ms=soon_ms(0.3)))
    await member.commit(deferred(lane))

    async def expired() -> bool:
        (taken,) = await member.take()
        await member.commit(deferred(taken))
        return taken.expired

    assert not lane.expired
    assert await eventually(expired)


async def test_the_next_head_of_a_commit_is_judged_too(member: Member) -> None:
    (lane,) = await member.run(delivery("a"), delivery("b", deadline_ms=PAST_MS))

    (following,) = (await member.commit(done(lane))).started

    assert following.expired


async def test_a_step_shows_when_it_is_due(member: Member) -> None:
    (lane,) = await member.run(delivery("a"))
    before_ms = soon_ms(0)

    (row,) = await member.open(intent(lane, "nap", kind="timer", due_seconds=100.0))

    assert row.due_ms is not None
    assert row.remaining_seconds is not None
    assert 99_000 <= row.due_ms - before_ms <= 160_000
    assert 40 <= row.remaining_seconds <= 100.001


async def test_a_step_without_due_time_shows_none(member: Member) -> None:
    (lane,) = await member.run(delivery("a"))

    (row,) = await member.open(intent(lane, "call"))

    assert (row.due_ms, row.remaining_seconds) == (None, None)


async def test_an_inherited_deadline_comes_first_when_it_is_earlier(member: Member) -> None:
    (lane,) = await member.run(delivery("a"))
    inherited = soon_ms(50)

    early, late, alone = await member.open(
        intent(lane, "early", kind="request", due_seconds=1000.0, due_ms=inherited),
        intent(lane, "late", kind="request", due_seconds=1.0, due_ms=inherited),
        intent(lane, "alone", kind="request", due_ms=inherited),
    )

    assert early.due_ms == alone.due_ms == inherited
    assert late.due_ms is not None
    assert late.due_ms < inherited


async def test_a_due_time_does_not_move_when_the_step_is_opened_again(member: Member) -> None:
    (lane,) = await member.run(delivery("a"))
    (first,) = await member.open(intent(lane, "nap", kind="timer", due_seconds=100.0))
    await member.commit(parked(lane, "nap", delay_seconds=0.0))
    (again,) = await eventually(member.take)

    (second,) = await member.open(intent(again, "nap", kind="timer", due_seconds=200.0))

    assert (second.fresh, second.due_ms) == (False, first.due_ms)
    assert [step.due_ms for step in await member.journal.recorded(lane.identity)] == [first.due_ms]


async def test_what_is_overdue_has_less_than_nothing_left(member: Member) -> None:
    (lane,) = await member.run(delivery("a"))

    (row,) = await member.open(intent(lane, "nap", kind="timer", due_ms=PAST_MS))

    assert row.remaining_seconds is not None
    assert row.remaining_seconds < 0
