from __future__ import annotations

import asyncio
from collections.abc import Sequence

from agentopic.ports.transport import TopicPartition
from agentopic.testing.journal_mesh import GROUP, JournalMesh, Member, delivery

PLACES = [TopicPartition(topic, partition) for topic in ("test.a", "test.b") for partition in range(5)]


async def lease(member: Member, places: Sequence[TopicPartition] = PLACES) -> set[TopicPartition]:
    return set(await member.journal.lease(member.id, GROUP, places))


async def test_one_process_holds_all_partitions(member: Member) -> None:
    leased = await member.journal.lease(member.id, GROUP, PLACES)

    assert leased == dict.fromkeys(PLACES)


async def test_no_partition_is_a_share_too(member: Member) -> None:
    assert await member.journal.lease(member.id, GROUP, []) == {}


async def test_a_watermark_comes_with_its_partition(member: Member) -> None:
    await member.intake(delivery("a", place=PLACES[3]), delivery("b", place=PLACES[3]))

    leased = await member.journal.lease(member.id, GROUP, PLACES)

    assert leased == {**dict.fromkeys(PLACES), PLACES[3]: 2}


async def test_a_surplus_is_given_back_when_another_joins(mesh: JournalMesh) -> None:
    one = await mesh.join()
    everything = await lease(one)
    two = await mesh.join()

    before = await lease(two)
    kept = await lease(one)
    after = await lease(two)

    assert (len(everything), before, len(kept), len(after)) == (10, set(), 5, 5)
    assert kept | after == set(PLACES)


async def test_shares_settle_and_are_kept(mesh: JournalMesh) -> None:
    members = [await mesh.join() for _ in range(3)]
    for _ in range(2):
        for member in members:
            await lease(member)
    shares = [await lease(member) for member in members]

    again = [await lease(member) for member in members]

    assert again == shares
    assert max(len(share) for share in shares) <= 4
    assert set.union(*shares) == set(PLACES)


async def test_more_processes_than_partitions_leave_some_without(mesh: JournalMesh) -> None:
    members = [await mesh.join() for _ in range(3)]

    shares = [await lease(member, PLACES[:2]) for member in members]

    assert sorted(len(share) for share in shares) == [0, 1, 1]


async def test_processes_of_other_groups_do_not_count(mesh: JournalMesh) -> None:
    one = await mesh.join()
    await mesh.join("test.other")

    assert len(await lease(one)) == 10


async def test_partitions_of_the_dead_are_taken(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    await lease(one)
    before = await lease(two)

    await two.bury(one)

    assert len(before) == 5
    assert len(await lease(two)) == 10


async def test_a_new_partition_is_never_read(member: Member) -> None:
    await lease(member, PLACES[:1])

    leased = await member.journal.lease(member.id, GROUP, PLACES[:2])

    assert leased == {PLACES[0]: None, PLACES[1]: None}


async def test_a_partition_that_is_no_longer_named_is_given_back(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    await lease(one, PLACES[:2])

    shrunk = await lease(one, PLACES[1:2])

    assert shrunk <= {PLACES[1]}
    assert await lease(two, PLACES[:1]) == {PLACES[0]}


async def test_no_partition_is_ever_leased_twice(mesh: JournalMesh) -> None:
    members = [await mesh.join() for _ in range(4)]

    shares = await asyncio.gather(*(lease(member) for member in members))

    leased = [place for share in shares for place in share]
    assert len(leased) == len(set(leased))
    assert all(len(share) <= 3 for share in shares)


async def test_groups_lease_apart(member: Member) -> None:
    await lease(member)

    other = await member.journal.lease(member.id, "test.other", PLACES)

    assert len(other) == 10
