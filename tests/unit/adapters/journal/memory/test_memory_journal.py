from __future__ import annotations

import asyncio
from dataclasses import dataclass

from agentopic.adapters.journal.memory import MemoryJournal, MemoryStore
from agentopic.testing.journal_commands import cancel_run
from agentopic.testing.journal_mesh import GROUP, Member, deferred, delivery, done, intent, parked


@dataclass
class Time:
    now: float = 100.0


async def joined(store: MemoryStore) -> Member:
    journal = MemoryJournal(store)
    return Member(journal=journal, id=await journal.join([GROUP], ""), known={})


async def test_a_deferred_lane_is_ready_when_the_stores_clock_says_so() -> None:
    time = Time()
    member = await joined(MemoryStore(now=lambda: time.now))
    (lane,) = await member.run(delivery("a"))
    await member.commit(deferred(lane, 30.0))

    time.now += 29.9
    early = await member.take()
    time.now += 0.1
    due = await member.take()

    assert not early
    assert [lane.head for lane in due] == [b"a"]


async def test_two_stores_know_nothing_of_each_other() -> None:
    one, two = await joined(MemoryStore()), await joined(MemoryStore())

    await one.intake(delivery("a"))

    assert not await two.take()
    assert not await two.journal.peers(two.id)


async def test_beats_from_many_threads_are_all_counted() -> None:
    store = MemoryStore()
    member, observer = await joined(store), await joined(store)

    async def beat_often() -> None:
        async with member.journal.heart(member.id) as heart:
            for _ in range(100):
                await heart.beat()

    await asyncio.gather(*(asyncio.to_thread(asyncio.run, beat_often()) for _ in range(4)))

    (peer,) = await observer.journal.peers(observer.id)
    assert peer.beat == 400


async def test_deadlines_follow_the_stores_calendar() -> None:
    time = Time(1000.0)
    member = await joined(MemoryStore(wall=lambda: time.now))
    (lane,) = await member.run(delivery("a", deadline_ms=1_010_000))
    (step,) = await member.open(intent(lane, "nap", kind="timer", due_seconds=60.0, due_ms=1_030_000))
    time.now += 10.0

    await member.commit(deferred(lane))

    (again,) = await member.take()
    (shown,) = await member.journal.recorded(lane.identity)
    assert (lane.expired, again.expired) == (False, True)
    assert (step.due_ms, step.remaining_seconds, shown.remaining_seconds) == (1_030_000, 30.0, 20.0)


async def test_a_timer_left_behind_is_due_by_the_stores_clock() -> None:
    time = Time()
    store = MemoryStore(now=lambda: time.now, wall=lambda: 5_000.0 + time.now)
    one, two = await joined(store), await joined(store)
    (lane,) = await one.run(delivery("a"))
    await one.open(intent(lane, "nap", kind="timer", due_seconds=30.0), intent(lane, "late", kind="timer"))
    await one.commit(parked(lane, "nap", "late", delay_seconds=30.0))
    await two.bury(one)

    time.now += 29.9
    early = await two.take()
    time.now += 0.2
    due = await two.take()

    assert not early
    assert [(each.head, each.crashes) for each in due] == [(b"a", 0)]


async def test_a_cancelled_run_is_forgotten_after_a_day() -> None:
    time = Time()
    member = await joined(MemoryStore(now=lambda: time.now))
    await member.control(cancel_run("run-1"))

    time.now += 86_401

    assert not await member.journal.cancelled_runs()
    await member.journal.sweep(3600)
    assert not await member.journal.cancelled_runs()


async def test_a_store_put_back_has_forgotten_its_last_moments() -> None:
    store = MemoryStore()
    member = await joined(store)
    async with member.journal.heart(member.id) as heart:
        kept = await heart.beat()
        saved = store.save()
        (lane,) = await member.run(delivery("a"))
        await member.commit(done(lane))
        confirmed = await heart.beat()

        store.rewind(saved)

        assert (await member.journal.held(member.id)).beat == kept < confirmed
    member.known.clear()
    (again,) = await member.run(delivery("a"))
    assert (again.head, again.attempts) == (b"a", 1)


async def test_a_store_can_be_put_back_to_one_moment_again_and_again() -> None:
    store = MemoryStore()
    member = await joined(store)
    await member.intake(delivery("a"))
    saved = store.save()

    heads: list[list[bytes]] = []
    for _ in range(2):
        heads.append([lane.head for lane in await member.take()])
        store.rewind(saved)

    assert heads == [[b"a"], [b"a"]]
