from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from agentopic.ports.journal import Incoming, IntakeBatch, Peer, Started, StepIntent, StepResult
from agentopic.testing.journal_mesh import (
    GROUP,
    PLACE,
    JournalMesh,
    Member,
    delivery,
    done,
    intent,
    output,
    result,
)

T = TypeVar("T")


async def cancelled_at_each_step(
    prepare: Callable[[str], Awaitable[T]], call: Callable[[T], Awaitable[object]]
) -> AsyncIterator[T]:
    """Make the call on something new each time, cancelled ever later, until it ends by itself."""
    steps = 0
    finished = False
    while not finished:
        subject = await prepare(f"k{steps}")
        task = asyncio.ensure_future(call(subject))
        for _ in range(steps):
            if task.done():
                break
            await asyncio.sleep(0)
        finished = task.done()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        yield subject
        steps = steps + 1 if steps < 8 else steps * 3 // 2


async def running(member: Member) -> dict[str, Started]:
    lanes = (await member.journal.held(member.id)).lanes
    return {lane.key: lane for lane in lanes if lane.pos is not None}


async def test_a_cancelled_intake_stores_everything_or_nothing(member: Member) -> None:
    async def prepare(key: str) -> tuple[IntakeBatch, list[Incoming]]:
        deliveries = [delivery("a", key + "x"), delivery("b", key + "y")]
        return member.batch(*deliveries, dead=[(PLACE, output(key))], free=2), deliveries

    async for batch, deliveries in cancelled_at_each_step(
        prepare, lambda subject: member.journal.intake(member.id, subject[0])
    ):
        holdings = await member.journal.held(member.id)
        assert (len(holdings.lanes), len(holdings.rows)) in ((0, 0), (2, 1))
        watermark = (await member.journal.lease(member.id, GROUP, [PLACE]))[PLACE]
        assert watermark == (batch.marks[0].next if holdings.lanes else batch.marks[0].known)
        if watermark is not None:
            member.known[GROUP, PLACE] = watermark

        again = await member.intake(*deliveries)

        assert again.repeats == len(holdings.lanes)
        assert sorted(await member.finish_everything()) == [b"a", b"b"]


async def test_a_cancelled_take_takes_or_leaves(member: Member) -> None:
    async def prepare(key: str) -> str:
        await member.intake(delivery("a", key))
        return key

    async for key in cancelled_at_each_step(prepare, lambda _: member.take()):
        taken = await running(member)
        assert set(taken) <= {key}

        heads = await member.finish_everything()

        assert heads == [b"a"]


async def test_a_cancelled_commit_finishes_its_turn_or_leaves_it_running(member: Member) -> None:
    async def prepare(key: str) -> Started:
        (lane,) = await member.run(delivery("a", key))
        return lane

    async for lane in cancelled_at_each_step(
        prepare, lambda lane: member.commit(done(lane, outbox=[output("1"), output("2")]))
    ):
        (held,) = (await member.journal.held(member.id)).lanes
        assert (held.pos, len(held.unsent)) in ((lane.pos, 0), (None, 2))

        repeated = await member.commit(done(lane, outbox=[output("1"), output("2")]))

        assert bool(repeated.lost) == (held.pos is None)
        await member.commit(sent=[*held.unsent, *repeated.rows])
        assert not (await member.journal.held(member.id)).lanes


async def test_a_cancelled_opening_of_steps_opens_all_or_none(member: Member) -> None:
    (lane,) = await member.run(delivery("a"))

    async def prepare(key: str) -> list[StepIntent]:
        return [intent(lane, key + "x"), intent(lane, key + "y")]

    async for intents in cancelled_at_each_step(prepare, lambda some: member.journal.open_steps(member.id, some)):
        names = [step.name for step in await member.journal.recorded(lane.identity)]
        stored = [name for name in names if name in {one.name for one in intents}]

        rows = await member.journal.open_steps(member.id, intents)

        assert len(stored) in (0, 2)
        assert [row.fresh for row in rows if row is not None] == [not stored] * 2


async def test_a_cancelled_result_is_stored_or_not(member: Member) -> None:
    (lane,) = await member.run(delivery("a"))

    async def prepare(key: str) -> StepResult:
        await member.journal.open_steps(member.id, [intent(lane, key)])
        return result(lane, key, b"first")

    async for first in cancelled_at_each_step(prepare, lambda one: member.journal.close_steps(member.id, [one])):
        steps = {step.key: step.result for step in await member.journal.recorded(lane.identity)}
        (now,) = await member.journal.close_steps(
            member.id, [StepResult(turn=first.turn, key=first.key, result=b"second")]
        )

        assert now.result == (steps[first.key] or b"second")


async def test_a_cancelled_burial_is_whole_or_nothing(mesh: JournalMesh) -> None:
    observer = await mesh.join()

    async def prepare(key: str) -> tuple[Peer, Member]:
        victim = await mesh.join()
        await victim.intake(delivery("a", key), dead=[(PLACE, output(key))], free=1)
        (peer,) = await observer.journal.peers(observer.id)
        return peer, victim

    async for peer, _ in cancelled_at_each_step(
        prepare, lambda subject: observer.journal.bury(observer.id, subject[0])
    ):
        buried = not await observer.journal.peers(observer.id)
        rows = (await observer.journal.held(observer.id)).rows
        assert len(rows) == buried

        await observer.journal.bury(observer.id, peer)

        (lane,) = await observer.take()
        assert lane.crashes == 1
        assert len((await observer.journal.held(observer.id)).rows) == 1
        await observer.commit(done(lane), sent=(await observer.journal.held(observer.id)).rows)


async def test_a_cancelled_leave_ends_the_process_or_not(mesh: JournalMesh) -> None:
    observer = await mesh.join()

    async def prepare(key: str) -> Member:
        leaver = await mesh.join()
        await leaver.run(delivery("a", key))
        return leaver

    async for leaver in cancelled_at_each_step(prepare, lambda one: one.journal.leave(one.id)):
        await leaver.journal.load(b"served behind the cancelled call")
        if await observer.journal.peers(observer.id):
            await leaver.journal.leave(leaver.id)

        assert await observer.finish_everything() == [b"a"]
        assert not await observer.journal.peers(observer.id)


async def test_a_cancelled_join_leaves_a_journal_that_works(member: Member) -> None:
    async def prepare(key: str) -> str:
        return key

    async for key in cancelled_at_each_step(prepare, lambda key: member.journal.join([key], "127.0.0.1:0")):
        peers = await member.journal.peers(member.id)

        assert [peer.groups for peer in peers] in ([], [(key,)])
        for peer in peers:
            await member.journal.bury(member.id, peer)


async def test_a_cancelled_beat_leaves_a_heart_that_beats(mesh: JournalMesh) -> None:
    observer, member = await mesh.join(), await mesh.join()

    async with member.journal.heart(member.id) as heart:

        async def prepare(_: str) -> int:
            (peer,) = await observer.journal.peers(observer.id)
            return peer.beat

        async for before in cancelled_at_each_step(prepare, lambda _: heart.beat()):
            await heart.beat()

            (peer,) = await observer.journal.peers(observer.id)
            assert peer.beat > before


async def test_calls_made_behind_a_cancelled_one_are_served(member: Member) -> None:
    await member.intake(*(delivery("a", str(number)) for number in range(20)))
    calls = [asyncio.ensure_future(member.take()) for _ in range(20)]
    for call in calls[::2]:
        await asyncio.sleep(0)
        call.cancel()

    await asyncio.gather(*calls, return_exceptions=True)

    assert len(await member.finish_everything()) == 20
