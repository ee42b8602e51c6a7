from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from agentopic.ports.journal import Incoming, ReplyAddress, Started
from agentopic.ports.transport import TopicPartition
from agentopic.testing.journal_mesh import (
    GROUP,
    JournalMesh,
    Member,
    answer,
    delivery,
    digest,
    done,
    intent,
    output,
    parked,
    refusal,
    reply,
)

HERE = ReplyAddress("test.replies", 0)
PLACES = [TopicPartition("test.agent.worker", partition) for partition in range(3)]


def lane_of(key: str) -> bytes:
    return digest(GROUP, key)


def request(caller: str, callee: str, *, place: TopicPartition = PLACES[0]) -> Incoming:
    name = f"{caller}>{callee}"
    return delivery(name, callee, place=place, request_id=name, reply_to=HERE, caller=lane_of(caller))


async def run_keys(member: Member, *keys: str) -> dict[str, Started]:
    return {lane.key: lane for lane in await member.run(*(delivery("task", key) for key in keys))}


async def ask(member: Member, turn: Started, callee: str) -> None:
    await member.open(intent(turn, f"{turn.key}>{callee}", kind="request", callee=lane_of(callee)))


async def test_two_that_ask_each_other_are_found(member: Member) -> None:
    turns = await run_keys(member, "x", "y")
    await ask(member, turns["x"], "y")
    await ask(member, turns["y"], "x")

    first = await member.intake(request("x", "y"))
    second = await member.intake(request("y", "x"))

    assert first.cycles == {request("x", "y").identity}
    assert not second.cycles


async def test_a_request_behind_a_turn_that_waits_for_nobody_closes_no_cycle(member: Member) -> None:
    turns = await run_keys(member, "x", "y")
    await ask(member, turns["x"], "y")

    taken = await member.intake(request("x", "y"))

    assert not taken.cycles


async def test_a_request_to_an_idle_agent_closes_no_cycle(member: Member) -> None:
    turns = await run_keys(member, "x")
    await ask(member, turns["x"], "y")

    taken = await member.intake(request("x", "y"), free=1)

    assert [lane.key for lane in taken.started] == ["y"]
    assert not taken.cycles


async def test_a_cycle_through_others_is_found(member: Member) -> None:
    ring = ["a", "b", "c", "d", "e"]
    turns = await run_keys(member, *ring)
    pairs = list(zip(ring, [*ring[1:], ring[0]], strict=True))
    for caller, callee in pairs:
        await ask(member, turns[caller], callee)

    named = [(await member.intake(request(caller, callee))).cycles for caller, callee in pairs]

    assert [len(cycles) for cycles in named] == [1, 0, 0, 0, 0]


async def test_an_agent_that_asks_itself_is_found(member: Member) -> None:
    turns = await run_keys(member, "x")
    await ask(member, turns["x"], "x")

    taken = await member.intake(request("x", "x"))

    assert taken.cycles == {request("x", "x").identity}


async def test_both_requests_of_a_cycle_in_one_batch_name_one(member: Member) -> None:
    turns = await run_keys(member, "x", "y")
    await ask(member, turns["x"], "y")
    await ask(member, turns["y"], "x")

    taken = await member.intake(request("x", "y"), request("y", "x"))

    assert len(taken.cycles) == 1


@pytest.mark.parametrize("size", [2, 3])
async def test_of_requests_that_close_one_cycle_at_the_same_time_exactly_one_is_named(
    mesh: JournalMesh, size: int
) -> None:
    members = [await mesh.join() for _ in range(size)]
    for number in range(8):
        keys = [f"k{number}-{index}" for index in range(size)]
        turns = await run_keys(members[0], *keys)
        requests: list[Incoming] = []
        for index, key in enumerate(keys):
            callee = keys[(index + 1) % size]
            await ask(members[0], turns[key], callee)
            requests.append(request(key, callee, place=PLACES[index]))

        taken = await asyncio.gather(*(member.intake(item) for member, item in zip(members, requests, strict=True)))

        assert sum(len(each.cycles) for each in taken) == 1


async def test_a_cycle_is_found_while_its_turns_are_parked(member: Member) -> None:
    turns = await run_keys(member, "x", "y")
    for caller, callee in (("x", "y"), ("y", "x")):
        await ask(member, turns[caller], callee)
        await member.commit(parked(turns[caller], f"{caller}>{callee}"))

    taken = await member.intake(request("x", "y"))

    assert taken.cycles == {request("x", "y").identity}


async def test_a_request_sent_again_is_judged_again(member: Member) -> None:
    turns = await run_keys(member, "x", "y")
    await ask(member, turns["x"], "y")
    before = await member.intake(request("x", "y"))
    await ask(member, turns["y"], "x")

    again = await member.intake(request("x", "y"))

    assert not before.cycles
    assert (again.repeats, again.cycles) == (1, {request("x", "y").identity})


async def test_a_result_cuts_its_edge(member: Member) -> None:
    turns = await run_keys(member, "x", "y")
    await ask(member, turns["y"], "x")
    await member.close(reply(turns["y"], "y>x"))
    await ask(member, turns["x"], "y")

    taken = await member.intake(request("x", "y"))

    assert not taken.cycles


async def test_a_result_leaves_the_edges_of_other_steps(member: Member) -> None:
    turns = await run_keys(member, "x", "y")
    await ask(member, turns["y"], "x")
    await member.open(intent(turns["y"], "other", kind="request", callee=lane_of("z")))
    await member.close(reply(turns["y"], "other"))
    await ask(member, turns["x"], "y")

    taken = await member.intake(request("x", "y"))

    assert len(taken.cycles) == 1


async def test_the_end_of_a_turn_cuts_what_is_left_of_its_edges(member: Member) -> None:
    turns = await run_keys(member, "x", "y")
    await member.intake(delivery("more", "y"))
    await ask(member, turns["y"], "x")
    await ask(member, turns["x"], "y")
    await member.commit(done(turns["y"], asked=True))

    taken = await member.intake(request("x", "y"))

    assert not taken.cycles


async def test_an_edge_outlives_its_holder(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    turns = await run_keys(one, "x", "y")
    await ask(one, turns["x"], "y")
    await ask(one, turns["y"], "x")
    await two.bury(one)
    await two.take(2)

    taken = await two.intake(request("x", "y"))

    assert len(taken.cycles) == 1


async def test_an_event_closes_no_cycle(member: Member) -> None:
    turns = await run_keys(member, "x", "y")
    await ask(member, turns["x"], "y")
    await ask(member, turns["y"], "x")

    taken = await member.intake(delivery("event", "y"))

    assert not taken.cycles


async def test_a_long_chain_that_leads_elsewhere_ends(member: Member) -> None:
    keys = [f"k{number}" for number in range(80)]
    turns = await run_keys(member, *keys)
    for caller, callee in pairwise(keys):
        await ask(member, turns[caller], callee)

    taken = await member.intake(request("stranger", keys[0]))

    assert not taken.cycles


async def test_a_named_request_is_answered_by_refusing_it(member: Member) -> None:
    turns = await run_keys(member, "x", "y")
    await ask(member, turns["x"], "y")
    await ask(member, turns["y"], "x")
    await member.intake(request("x", "y"))

    rows = await member.refuse(refusal(request("x", "y"), answer=answer("x>y", b"cycle"), outbox=[output("dead")]))

    assert [(row.row.value, row.lane) for row in rows] == [(b"cycle", None), (b"dead", None)]
    assert (await member.journal.backlog([GROUP]))[GROUP].deliveries == 2
    assert [row.row.value for row in (await member.intake(request("x", "y"))).rows] == [b"cycle"]
