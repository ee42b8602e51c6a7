from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from agentopic.errors import ProcessBuriedError
from agentopic.ports.journal import Peer, StepResult
from agentopic.testing.journal_mesh import (
    GROUP,
    PLACE,
    JournalMesh,
    Member,
    by_lane,
    deferred,
    delivery,
    done,
    output,
)

CALLS: dict[str, Callable[[Member], Awaitable[object]]] = {
    "peers": lambda member: member.journal.peers(member.id),
    "bury": lambda member: member.journal.bury(member.id, Peer(id=10**9, groups=(), beat=0)),
    "leave": lambda member: member.journal.leave(member.id),
    "lease": lambda member: member.journal.lease(member.id, GROUP, [PLACE]),
    "intake": lambda member: member.intake(),
    "take": lambda member: member.take(),
    "commit": lambda member: member.commit(),
    "held": lambda member: member.journal.held(member.id),
    "open_steps": lambda member: member.journal.open_steps(member.id, []),
    "close_steps": lambda member: member.journal.close_steps(
        member.id, [StepResult(turn=b"t" * 16, key=b"k" * 16, result=b"")]
    ),
    "refuse": lambda member: member.refuse(),
    "control": lambda member: member.control(),
    "mail": lambda member: member.mail(),
    "open_request": lambda member: member.journal.open_request(member.id, "r", "worker/k", None),
    "close_request": lambda member: member.journal.close_request(member.id, "r", "done", None, 1.0),
    "spend": lambda member: member.journal.spend(member.id, []),
}


async def beat(member: Member) -> None:
    async with member.journal.heart(member.id) as heart:
        await heart.beat()


async def beat_of(observer: Member, member: Member) -> Peer:
    return next(peer for peer in await observer.journal.peers(observer.id) if peer.id == member.id)


async def test_members_see_each_other_and_not_themselves(mesh: JournalMesh) -> None:
    one, two, three = await mesh.join("g1"), await mesh.join("g1", "g2"), await mesh.join("g3")

    peers = {peer.id: peer for peer in await one.journal.peers(one.id)}

    assert set(peers) == {two.id, three.id}
    assert peers[two.id].groups == ("g1", "g2")
    assert not peers[two.id].gone


async def test_a_beat_is_seen_to_rise(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    before = await beat_of(one, two)

    await beat(two)
    after = await beat_of(one, two)

    assert after.beat > before.beat
    assert (await beat_of(one, two)).beat == after.beat


async def test_a_heart_beats_from_a_thread_and_loop_of_its_own(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    before = await beat_of(one, two)

    await asyncio.to_thread(asyncio.run, beat(two))

    assert (await beat_of(one, two)).beat > before.beat


async def test_a_process_whose_beat_rose_is_not_buried(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    seen = await beat_of(one, two)
    await two.run(delivery("a"))
    await beat(two)

    rows = await one.journal.bury(one.id, seen)

    assert not rows
    assert len((await two.journal.held(two.id)).lanes) == 1


@pytest.mark.parametrize("name", sorted(CALLS))
async def test_every_call_of_a_buried_process_is_refused(mesh: JournalMesh, name: str) -> None:
    one, two = await mesh.join(), await mesh.join()
    await one.bury(two)

    with pytest.raises(ProcessBuriedError):
        await CALLS[name](two)


async def test_the_heart_of_a_buried_process_is_told(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()

    async with two.journal.heart(two.id) as heart:
        await heart.beat()
        await one.bury(two)
        with pytest.raises(ProcessBuriedError):
            await heart.beat()


async def test_a_process_that_never_joined_is_refused(member: Member) -> None:
    with pytest.raises(ProcessBuriedError):
        await member.journal.take(member.id + 1000, {GROUP: 1})


async def test_a_buried_process_is_no_peer_any_more(mesh: JournalMesh) -> None:
    one, two, three = [await mesh.join() for _ in range(3)]

    await one.bury(two)

    assert [peer.id for peer in await one.journal.peers(one.id)] == [three.id]


async def test_burying_frees_lanes_and_counts_a_crash_on_what_ran(
    mesh: JournalMesh,
) -> None:
    one, two = await mesh.join(), await mesh.join()
    await one.run(delivery("a", "x"), delivery("b", "x"), delivery("c", "y"))
    await two.bury(one)

    lanes = by_lane(await two.take(5))

    assert {key: (lane.head, lane.attempts, lane.failures, lane.crashes) for key, lane in lanes.items()} == {
        "x": (b"a", 2, 0, 1),
        "y": (b"c", 2, 0, 1),
    }
    (following,) = (await two.commit(done(lanes["x"]))).started
    assert (following.head, following.attempts, following.crashes) == (b"b", 1, 0)


async def test_what_a_buried_process_deferred_counts_no_crash(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (lane,) = await one.run(delivery("a"))
    await one.commit(deferred(lane))
    await two.bury(one)

    (taken,) = await two.take()

    assert (taken.attempts, taken.failures, taken.crashes) == (2, 1, 0)


async def test_crashes_add_up(mesh: JournalMesh) -> None:
    observer = await mesh.join()
    await observer.intake(delivery("a"))
    for _ in range(3):
        victim = await mesh.join()
        await victim.take()
        await observer.bury(victim)

    (lane,) = await observer.take()

    assert (lane.attempts, lane.crashes) == (4, 3)


async def test_a_late_commit_of_a_buried_process_changes_nothing(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (lane,) = await one.run(delivery("a"))
    await two.bury(one)

    with pytest.raises(ProcessBuriedError):
        await one.commit(done(lane, outbox=[output("x")]))

    assert await two.finish_everything() == [b"a"]
    assert (await two.journal.backlog([GROUP]))[GROUP].unsent == 0


async def test_partitions_of_a_buried_process_are_free_with_their_watermarks(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    await one.journal.lease(one.id, GROUP, [PLACE])
    await one.intake(delivery("a"))
    before = await two.journal.lease(two.id, GROUP, [PLACE])

    await two.bury(one)

    assert not before
    assert await two.journal.lease(two.id, GROUP, [PLACE]) == {PLACE: 1}


async def test_rows_of_a_buried_process_pass_to_whoever_buried_it(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    await one.intake(dead=[(PLACE, output("x")), (PLACE, output("y"))])

    rows = await two.bury(one)

    assert [row.row for row in sorted(rows)] == [output("x"), output("y")]
    assert sorted((await two.journal.held(two.id)).rows) == sorted(rows)
    await two.commit(sent=rows)
    assert not (await two.journal.held(two.id)).rows


async def test_burying_twice_is_harmless(mesh: JournalMesh) -> None:
    one, two, three = [await mesh.join() for _ in range(3)]
    await one.intake(delivery("a"), dead=[(PLACE, output("x"))], free=1)
    seen_by_two, seen_by_three = await beat_of(two, one), await beat_of(three, one)
    first = await two.journal.bury(two.id, seen_by_two)
    (lane,) = await two.take()

    second = await three.journal.bury(three.id, seen_by_three)

    assert (len(first), len(second)) == (1, 0)
    assert not (await two.commit(done(lane), sent=first)).lost
    assert lane.crashes == 1


async def test_burying_one_that_never_was_is_harmless(member: Member) -> None:
    assert not await member.journal.bury(member.id, Peer(id=member.id + 1000, groups=(), beat=0))


async def test_two_that_bury_at_once_count_one_crash(mesh: JournalMesh) -> None:
    victim, one, two = [await mesh.join() for _ in range(3)]
    await victim.intake(delivery("a"), dead=[(PLACE, output("x"))], free=1)

    rows = await asyncio.gather(one.bury(victim), two.bury(victim))

    (lane,) = await one.take()
    assert lane.crashes == 1
    assert sum(len(part) for part in rows) == 1


async def test_leaving_frees_everything_without_a_crash(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    await one.journal.lease(one.id, GROUP, [PLACE])
    await one.run(delivery("a"))

    await one.journal.leave(one.id)

    (lane,) = await two.take()
    assert (lane.head, lane.attempts, lane.crashes) == (b"a", 2, 0)
    assert await two.journal.lease(two.id, GROUP, [PLACE]) == {PLACE: 1}
    assert not await two.journal.peers(two.id)


async def test_a_lane_with_unsent_rows_passes_on_when_its_holder_leaves(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    (lane,) = await one.run(delivery("a"))
    committed = await one.commit(done(lane, outbox=[output("x")]))

    await one.journal.leave(one.id)

    (taken,) = await two.take()
    assert (taken.pos, list(taken.unsent)) == (None, list(committed.rows))


async def test_rows_of_a_process_that_left_are_adopted_by_burying_it(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    await one.intake(dead=[(PLACE, output("x"))])
    await one.journal.leave(one.id)

    (peer,) = await two.journal.peers(two.id)
    rows = await two.journal.bury(two.id, peer)

    assert peer.gone
    assert [row.row for row in rows] == [output("x")]
    assert not await two.journal.peers(two.id)


async def test_a_process_that_left_is_refused(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    await one.intake(dead=[(PLACE, output("x"))])
    await one.journal.leave(one.id)
    await two.journal.leave(two.id)

    for member in (one, two):
        with pytest.raises(ProcessBuriedError):
            await member.take()


async def test_ids_are_never_used_twice(mesh: JournalMesh) -> None:
    observer = await mesh.join()
    ids = {observer.id}
    for round_number in range(4):
        member = await mesh.join()
        assert member.id not in ids
        ids.add(member.id)
        if round_number % 2:
            await member.journal.leave(member.id)
        else:
            await observer.bury(member)
        await observer.journal.sweep(0)

    assert len(ids) == 5


async def test_tokens_and_positions_are_never_used_twice(mesh: JournalMesh) -> None:
    member = await mesh.join()
    seen: set[tuple[int, int | None]] = set()
    for number in range(5):
        (lane,) = await member.run(delivery(str(number)))
        seen.add((lane.token, lane.pos))
        await member.commit(done(lane))

    assert len({token for token, _ in seen}) == 5
    assert len({pos for _, pos in seen}) == 5
