from __future__ import annotations

import asyncio
from dataclasses import dataclass

from agentopic.adapters.journal.memory import MemoryJournal, MemoryStore
from agentopic.testing.journal_mesh import GROUP, Member, deferred, delivery


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
